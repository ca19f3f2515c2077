"""What the application shows of MQTT to programs: the topic tree, what a topic is worth, messages and figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Use = Literal["publish", "subscribe"]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One leaf of the topic tree. {id} and {group} stand for one level."""

    topic: str
    direction: Literal["up", "down", "site"]  # from a board, to a board, or neither
    qos: int  # the highest at which it travels
    retained: bool
    publisher: str
    reader: str
    meaning: str
    used: bool = True  # False: the name is kept free for what comes later


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a topic. An error keeps it from being used; a warning is probably a mistake."""

    code: str
    level: Literal["error", "warning"]
    reason: str


@dataclass(frozen=True, slots=True)
class TopicVerdict:
    """Whether a text can be used as a topic, or as a topic filter."""

    topic: str
    kind: Literal["topic", "filter"]
    valid: bool
    findings: tuple[Finding, ...]
    suggestion: str | None = None
    leaf: Leaf | None = None


@dataclass(frozen=True, slots=True)
class Listeners:
    """Where the broker listens on this machine; None where it does not."""

    host: str  # of the two over TLS
    tls: int | None
    websocket: int | None
    plain: int | None  # on loopback


@dataclass(frozen=True, slots=True)
class MqttStatus:
    """The broker at a glance."""

    broker: str
    connected: bool  # the gateway's own link; of a broker that runs alone, whether it serves
    listeners: Listeners
    numbers: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class MqttMessage:
    """An application message."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
