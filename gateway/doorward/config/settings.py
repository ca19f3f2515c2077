"""All settings of an installation, and where its files are."""

import os
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator

from doorward.config.sections import Mqtt, Section, SignerAccess, Web
from doorward.machine import machine_names
from doorward_core import topic_tree, topics

EMBEDDED, MOSQUITTO = "embedded", "mosquitto"


def local_timezone() -> str:
    """The name of this machine's time zone, UTC when it does not say."""
    named = os.environ.get("TZ", "").lstrip(":")
    if named:
        return named
    try:
        parts = Path("/etc/localtime").resolve(strict=True).parts
    except OSError:
        return "UTC"
    return "/".join(parts[parts.index("zoneinfo") + 1 :]) if "zoneinfo" in parts else "UTC"


class Settings(Section):
    """Everything that can be set, checked."""

    directory: Path
    base: str = topics.BASE
    broker: str = EMBEDDED
    timezone: str = Field(default_factory=local_timezone)
    names: tuple[str, ...] = Field(default_factory=machine_names)
    web: Web = Web()
    mqtt: Mqtt = Mqtt()
    signer: SignerAccess = SignerAccess()

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{name!r} is no time zone; use a name like Europe/Berlin") from None
        return name

    @field_validator("broker")
    @classmethod
    def _known_broker(cls, name: str) -> str:
        if name not in {EMBEDDED, MOSQUITTO}:
            raise ValueError(f'{name!r} is no broker; use "{EMBEDDED}" or "{MOSQUITTO}"')
        return name

    @field_validator("base")
    @classmethod
    def _plain_topic(cls, base: str) -> str:
        if not topic_tree.valid_topic(base) or base.startswith(("$", "/")) or base.endswith("/"):
            raise ValueError(f"{base!r} cannot be the base of all topics; use a word like doorward")
        return base

    @property
    def zone(self) -> ZoneInfo:
        """Where the doors are."""
        return ZoneInfo(self.timezone)

    @property
    def database_key(self) -> Path:
        """The key of both databases."""
        return self.directory / "keys" / "database.key"

    @property
    def device_keys(self) -> Path:
        """The directory of the devices' keys."""
        return self.directory / "signer"

    @property
    def server_certificate(self) -> Path:
        """What our servers show, with its key."""
        return self.directory / "keys" / "server.pem"

    @property
    def run(self) -> Path:
        """The directory of sockets and the lock."""
        return self.directory / "run"

    @property
    def socket(self) -> Path:
        """The local API's socket."""
        return self.run / "api.sock"
