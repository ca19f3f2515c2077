"""Settings: doorward.toml in the data directory, then DOORWARD_* in the environment, then the command line."""

import difflib
import os
import tomllib
from collections.abc import Mapping
from ipaddress import IPv4Address, ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from doorward.errors import ConfigError
from doorward.machine import machine_names
from doorward_core import topic_tree, topics

FILE_NAME = "doorward.toml"
ANY = "0.0.0.0"  # noqa: S104 - every address of this machine; what listens there asks for certificates
LOOPBACK = "127.0.0.1"
EMBEDDED, MOSQUITTO = "embedded", "mosquitto"
_ONLY_HERE = (LOOPBACK, "::1")
# What the environment may say, and where it belongs. DOORWARD_DATA is the caller's to read.
_ENVIRONMENT = {
    "DOORWARD_BASE": ("base",),
    "DOORWARD_BROKER": ("broker",),
    "DOORWARD_TIMEZONE": ("timezone",),
    "DOORWARD_WEB_HOST": ("web", "host"),
    "DOORWARD_WEB_PORT": ("web", "port"),
    "DOORWARD_MQTT_HOST": ("mqtt", "host"),
    "DOORWARD_MQTT_PORT": ("mqtt", "port"),
    "DOORWARD_SIGNER_SOCKET": ("signer", "socket"),
    "DOORWARD_MQTT_PLAIN_PORT": ("mqtt", "plain_port"),
    "DOORWARD_MQTT_WEBSOCKET_PORT": ("mqtt", "websocket_port"),
}


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def is_loopback(host: str) -> bool:
    """True for an address that no other machine can reach."""
    return host in _ONLY_HERE


class MqttLimits(_Section):
    """How much one client may ask of the embedded broker, and all of them; what is not said stays as it ships.

    Bytes and seconds. The names are those of `doorward.broker.Limits`.
    """

    connections: int | None = Field(default=None, ge=1)
    connections_per_address: int | None = Field(default=None, ge=1)
    handshakes_per_address: int | None = Field(default=None, ge=1)
    connect_within: float | None = Field(default=None, gt=0, le=3600)
    packet: int | None = Field(default=None, ge=1024, le=268_435_455)
    stalled: float | None = Field(default=None, gt=0, le=3600)
    inflight: int | None = Field(default=None, ge=1, le=65535)
    queued: int | None = Field(default=None, ge=0)
    queued_bytes: int | None = Field(default=None, ge=0)
    queued_bytes_per_user: int | None = Field(default=None, ge=0)
    unread: int | None = Field(default=None, ge=65536)
    publish_rate: float | None = Field(default=None, ge=0)
    publish_bytes: float | None = Field(default=None, ge=0)
    subscriptions: int | None = Field(default=None, ge=1)
    levels: int | None = Field(default=None, ge=32)
    sessions: int | None = Field(default=None, ge=0)
    retained_bytes: int | None = Field(default=None, ge=0)
    retained_bytes_per_user: int | None = Field(default=None, ge=0)

    def given(self) -> dict[str, Any]:
        """What was said."""
        return self.model_dump(exclude_none=True)


class Mqtt(_Section):
    """The embedded broker's listeners. Port 0 takes any free one.

    Boards come to `host` and `port`, over mutual TLS; WebSockets to `websocket_port` there, over TLS, and a page in a
    browser only from one of `websocket_origins`. `plain_port` is for this machine alone, without TLS.
    """

    host: str = ANY
    port: int = Field(default=8883, ge=0, le=65535)
    plain_port: int = Field(default=1883, ge=0, le=65535)
    websocket_port: int = Field(default=9001, ge=0, le=65535)
    websocket_origins: tuple[str, ...] = ()
    limits: MqttLimits = MqttLimits()

    @model_validator(mode="before")
    @classmethod
    def _any(cls, values: Any) -> Any:
        """Who takes any free port for boards has no other in mind for the rest."""
        if isinstance(values, dict) and values.get("port") in {0, "0"}:
            return {"plain_port": 0, "websocket_port": 0, **values}
        return values

    @field_validator("websocket_origins")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        """As browsers send them: scheme, host and a port that is not the scheme's own, nothing after it."""
        for origin in origins:
            parts = urlsplit(origin)
            if (
                parts.scheme not in {"http", "https"}
                or origin != f"{parts.scheme}://{parts.netloc}"
            ):
                raise ValueError(f"{origin!r} is no origin; use one like https://door.example:8080")
        return origins

    @field_validator("host")
    @classmethod
    def _numeric(cls, host: str) -> str:
        """Boards are told this address, and take numbers alone: looking up a name can block them."""
        try:
            return str(IPv4Address(LOOPBACK if host == "localhost" else host))
        except ValueError:
            raise ValueError("boards speak IPv4; use an address of this machine") from None


class Web(_Section):
    """The page's listener: plain HTTP on loopback, HTTPS on any other address. Port 0 takes any free one."""

    host: str = LOOPBACK
    port: int = Field(default=8080, ge=0, le=65535)

    @field_validator("host")
    @classmethod
    def _address(cls, host: str) -> str:
        try:
            return str(ip_address(LOOPBACK if host == "localhost" else host))
        except ValueError:
            raise ValueError("this is no address; use one of this machine, or 0.0.0.0") from None

    @property
    def https(self) -> bool:
        """Whether it needs TLS."""
        return not is_loopback(self.host)


class SignerAccess(_Section):
    """Where the signer is. Without a socket the gateway reads the keys itself."""

    socket: Path | None = None

    @field_validator("socket")
    @classmethod
    def _absolute(cls, socket: Path | None) -> Path | None:
        if socket is not None and not socket.is_absolute():
            raise ValueError("two programs have to find it; use a whole path like /run/doorward/s")
        return socket


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


class Settings(_Section):
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


def load(
    directory: Path,
    *,
    port_base: int | None = None,
    defaults: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """Read the settings of `directory`. `defaults` count less than the file, `port_base` more than anything.

    Raises ConfigError naming file and key.
    """
    path = directory / FILE_NAME
    values: dict[str, Any] = _merge({}, defaults or {})
    _merge(values, _read(path))
    for name, place in _ENVIRONMENT.items():
        if name in environ:
            _merge(values, _nested(place, environ[name]))
    if port_base is not None:
        mqtt = {
            "port": port_base + 1,
            "plain_port": port_base + 2,
            "websocket_port": port_base + 3,
        }
        _merge(values, {"web": {"port": port_base}, "mqtt": mqtt})
    if "directory" in values:
        raise ConfigError(f"{path}: directory is not set there", "use --data", field="directory")
    try:
        return Settings(directory=directory, **values)
    except ValidationError as error:
        raise _explained(path, error) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}", "correct that line") from error
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read ({error.strerror})", "check its owner and mode"
        ) from error


def _merge(into: dict[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    for key, value in more.items():
        if isinstance(value, Mapping) and isinstance(into.setdefault(key, {}), dict):
            _merge(into[key], value)
        else:
            into[key] = value
    return into


def _nested(place: tuple[str, ...], value: str) -> dict[str, Any]:
    return {place[0]: _nested(place[1:], value) if place[1:] else value}


def _explained(path: Path, error: ValidationError) -> ConfigError:
    """The first thing that is wrong, as one line."""
    first = error.errors(include_url=False)[0]
    place = tuple(str(part) for part in first["loc"])
    key = ".".join(place)
    if first["type"] == "extra_forbidden":
        close = difflib.get_close_matches(place[-1], _known(place[:-1]), 1)
        remedy = f"did you mean {close[0]}?" if close else f"known: {', '.join(_known(place[:-1]))}"
        return ConfigError(f"{path}: {key} is not a setting", remedy, field=key)
    problem, _, remedy = first["msg"].removeprefix("Value error, ").partition("; ")
    return ConfigError(f"{path}: {key}: {problem}", remedy or "correct it", field=key)


def _known(section: tuple[str, ...]) -> list[str]:
    models: dict[tuple[str, ...], type[BaseModel]] = {
        ("web",): Web,
        ("mqtt",): Mqtt,
        ("mqtt", "limits"): MqttLimits,
        ("signer",): SignerAccess,
    }
    return sorted(set(models.get(section, Settings).model_fields) - {"directory"})
