"""Settings: doorward.toml in the data directory, then DOORWARD_* in the environment, then the command line."""

from doorward.config.loading import FILE_NAME, load
from doorward.config.sections import ANY, Mqtt, is_loopback
from doorward.config.settings import EMBEDDED, MOSQUITTO, Settings
from doorward.machine import LOOPBACK

__all__ = [
    "ANY",
    "EMBEDDED",
    "FILE_NAME",
    "LOOPBACK",
    "MOSQUITTO",
    "Mqtt",
    "Settings",
    "is_loopback",
    "load",
]
