"""What a board carries in its flash before it is put up: its settings, and who it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from doorward.app.signatory import signatory_of
from doorward.app.trust import Adoption
from doorward.domain.doors import Door
from doorward_core import topics

_POLL_MS = 50


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where boards find the broker (an IPv4 address, or a name like gateway.local), and their topics on it."""

    host: str
    port: int
    base: str = topics.BASE


@dataclass(frozen=True, slots=True)
class BoardProfile:
    """How a kind of board is wired. cap_ms: the longest that its lock may ever be energised."""

    name: str
    role: str
    pins: Mapping[str, Any]
    cap_ms: int


@dataclass(frozen=True, slots=True)
class BoardFiles:
    """The secret files of one board, by their path on it. They are given out once."""

    config: Mapping[str, Any] = field(repr=False)  # /config.json
    tls: Mapping[str, bytes] = field(repr=False)  # /tls/…, DER
    firmware_key: bytes | None = None  # /firmware.key: the RSA modulus of who signs


def board_files(
    adoption: Adoption, claim: bytes, profile: BoardProfile, broker: BrokerAddress, date: int
) -> BoardFiles:
    """The files of a newly adopted board. The door's times hold until the gateway has said others.

    date: Unix seconds now; the board, which has no clock of its own, takes no certificate for younger.
    """
    door = Door(adoption.device, adoption.device, adoption.device)
    config = {
        "id": adoption.device,
        "board": profile.name,
        "base": broker.base,
        "broker": {"host": broker.host, "port": broker.port},
        "secret": adoption.secret,
        "key": adoption.key,
        "key_epoch": adoption.epoch,
        "claim": claim.hex(),
        "wifi": None,
        "date": date,
        "role": profile.role,
        "pins": dict(profile.pins),
        "door": {
            "strike_s": door.strike_ms // 1000,
            "cap_s": profile.cap_ms // 1000,
            "held_s": door.held_ms // 1000,
        },
        "poll_ms": _POLL_MS,
    }
    tls = {
        "ca.der": adoption.authority,
        "cert.der": adoption.certificate,
        "key.der": adoption.private_key,
    }
    pem = adoption.firmware_key
    return BoardFiles(config, tls, signatory_of(pem).modulus if pem else None)
