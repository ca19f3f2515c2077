# naming.py  os.uname() as an ESP32 answers it, for tools that ask a board at its prompt who it is.
#
# install() puts it into a module in os's place: the port's own cannot be added to.
import os as _own
import sys
from collections import namedtuple

__all__ = ("uname",)

_uname = namedtuple("uname_result", ("sysname", "nodename", "release", "version", "machine"))  # noqa: PYI024 - as the port has it
_MACHINES = {"esp32-s3": "ESP32S3", "esp32-c3": "ESP32C3"}
_named = None


def install(chip, release):
    # From here on whoever imports os gets this. chip: as profiles call it.
    global _named
    machine = "Generic ESP32 module with " + _MACHINES.get(chip, "ESP32")
    _named = _uname("esp32", "esp32", release, "v" + release + " on 2026-01-01", machine)
    sys.modules["os"] = sys.modules[__name__]


def uname():
    return _named


def __getattr__(name):
    return getattr(_own, name)
