"""The sections of the settings, each of them checked by itself."""

from ipaddress import IPv4Address, ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from doorward.machine import LOOPBACK

ANY = "0.0.0.0"  # noqa: S104 - every address of this machine; what listens there asks for certificates
_ONLY_HERE = (LOOPBACK, "::1")


class Section(BaseModel):
    """Nothing but what is named in it, and it does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def is_loopback(host: str) -> bool:
    """True for an address that no other machine can reach."""
    return host in _ONLY_HERE


class MqttLimits(Section):
    """How much one client may ask of the embedded broker, and all of them; what is not said stays as it ships.

    Bytes and seconds. The names are those of `doorward.broker.Limits`.
    """

    connections: int | None = Field(default=None, ge=1)
    connections_per_address: int | None = Field(default=None, ge=1)
    handshakes_per_address: int | None = Field(default=None, ge=1)
    connect_within: float | None = Field(default=None, gt=0, le=3600)
    login_within: float | None = Field(default=None, gt=0, le=3600)
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


class Mqtt(Section):
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


class Web(Section):
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


class SignerAccess(Section):
    """Where the signer is. Without a socket the gateway reads the keys itself."""

    socket: Path | None = None

    @field_validator("socket")
    @classmethod
    def _absolute(cls, socket: Path | None) -> Path | None:
        if socket is not None and not socket.is_absolute():
            raise ValueError("two programs have to find it; use a whole path like /run/doorward/s")
        return socket
