"""What the broker needs from outside: somewhere to write packets, and somewhere to keep what it promised."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

Packet = tuple[int, int, bytes]  # type, flags, body


class Link(Protocol):
    """A connected client, as its session sees it."""

    @property
    def gone(self) -> bool:
        """True once it is closed, or about to be."""

    @property
    def ready(self) -> bool:
        """False while enough is written for now; the session is resumed later."""

    @property
    def congested(self) -> bool:
        """True while the client reads slower than we write."""

    def send(self, packet: bytes) -> None:
        """Write one whole packet, soon."""

    def send_all(self, packets: Sequence[bytes]) -> None:
        """Write whole packets, soon."""

    def end(self, reason: str, *, will: bool = True) -> None:
        """Close the connection now; its will is published unless it left in good order."""


class KeptMessage(NamedTuple):
    """A QoS 1 or 2 message that a persistent session has not acknowledged yet."""

    row: int  # rises with every message: the order of delivery
    client: str
    topic: str
    payload: bytes
    retain: bool
    packet_id: int | None  # set once it was sent: it is sent again under the same id
    qos: int = 1
    released: bool = False  # QoS 2: the client has it, only its PUBCOMP is missing


class KeptSession(NamedTuple):
    """A persistent session: whose it is, and its filters with the granted QoS."""

    owner: str
    subscriptions: dict[str, int]


class KeptRetained(NamedTuple):
    """The retained message of one topic."""

    payload: bytes
    qos: int
    owner: str = ""  # who left it there


RuleKey = tuple[str, str, str]
"""Subject, effect and topic filter."""


class Entry(NamedTuple):
    """One line of the broker's log. `more`: how many like it were counted instead of written; no payload, ever."""

    number: int  # rises, by one while the broker runs
    at_ms: int  # since 1970, UTC
    action: str
    principal: str
    client: str = ""
    topic: str = ""
    qos: int | None = None
    size: int | None = None
    detail: str = ""
    more: int = 0


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which lines of the log: at most `limit` of this action, of this principal, between two numbers."""

    limit: int
    action: str | None = None
    principal: str | None = None
    before: int | None = None
    after: int | None = None

    def takes(self, entry: Entry) -> bool:
        """Whether it is one of them, however many there are."""
        return (
            (self.before is None or entry.number < self.before)
            and (self.after is None or entry.number > self.after)
            and self.action in (None, entry.action)
            and self.principal in (None, entry.principal)
        )


@dataclass(slots=True)
class Batch:
    """Changes that reach the disk together; applied in the order of the fields, and safe to apply twice."""

    ended: set[str] = field(default_factory=set)
    sessions: dict[str, str] = field(default_factory=dict)  # client -> owner
    subscriptions: dict[tuple[str, str], int | None] = field(default_factory=dict)
    messages: dict[int, KeptMessage] = field(default_factory=dict)
    sent: dict[int, int] = field(default_factory=dict)
    released: set[int] = field(default_factory=set)
    done: set[int] = field(default_factory=set)
    retained: dict[str, KeptRetained | None] = field(default_factory=dict)
    received: dict[tuple[str, int], bool] = field(default_factory=dict)
    principals: dict[str, tuple[str, bytes] | None] = field(default_factory=dict)
    users: dict[str, tuple[str, str] | None] = field(default_factory=dict)  # -> roles, hash
    welcome: dict[tuple[str, str], bool] = field(
        default_factory=dict
    )  # (user, place) -> newest, or gone
    rules: dict[RuleKey, tuple[bool, bool] | None] = field(default_factory=dict)
    log: list[Entry] = field(default_factory=list)

    @property
    def urgent(self) -> bool:
        """True when it holds more than how far messages have come, and what happened.

        Without the former a client gets some messages once more, and the log may end half a second early.
        """
        return bool(
            self.messages
            or self.retained
            or self.received
            or self.subscriptions
            or self.sessions
            or self.ended
            or self.principals
            or self.users
            or self.welcome
            or self.rules
        )

    def __bool__(self) -> bool:
        """True when there is anything to write."""
        return bool(self.urgent or self.done or self.sent or self.released or self.log)


@dataclass(frozen=True, slots=True)
class Kept:
    """Everything that survived, as the store found it."""

    principals: dict[str, tuple[str, bytes]]  # name -> (role, SHA-256 of the secret)
    sessions: dict[str, KeptSession]  # by client id
    messages: list[KeptMessage]  # in order of delivery
    received: list[tuple[str, int]]  # QoS 2 packet ids that wait for their PUBREL
    retained: dict[str, KeptRetained]
    users: dict[str, tuple[str, str]] = field(default_factory=dict)  # name -> (roles, hash)
    welcome: list[tuple[str, str]] = field(default_factory=list)  # (user, place), oldest first
    rules: dict[RuleKey, tuple[bool, bool]] = field(default_factory=dict)  # -> (publish, subscribe)
    log: list[Entry] = field(default_factory=list)  # the newest, oldest first


class Store(Protocol):
    """Durable memory. `write` answers on the event loop after the commit, in the order of the calls."""

    @property
    def left_out(self) -> int:
        """Changes since the start that it could not hold, each by its own fault; they are lost."""

    @property
    def lost(self) -> int:
        """Changes of users and rules that were kept once, and are not there any more."""

    def load(self) -> Kept:
        """Read everything back."""

    def start(self) -> None:
        """Get ready to write; called on the event loop."""

    def write(self, batch: Batch, done: Callable[[Exception | None], None]) -> None:
        """Commit one batch, then call `done` with None, or with the error that prevented it: trouble that may pass."""

    def read_log(self, query: LogQuery) -> list[Entry]:
        """Read lines of the log, newest first. Blocks."""

    async def close(self) -> None:
        """Finish what was handed over, then let go of the file."""
