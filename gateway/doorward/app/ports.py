"""What the application needs from outside. Adapters fit these; tests fit them with fakes written by hand."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import NamedTuple, Protocol

from doorward.app.records import (
    Account,
    ApiToken,
    DeviceCache,
    LogEntry,
    LogHead,
    OpenSession,
)
from doorward.domain.audit import AuditRow
from doorward.domain.audit_chain import Head, Link
from doorward.domain.audit_walk import Finding
from doorward.domain.devices import Registration
from doorward.domain.doors import Door
from doorward.domain.holidays import Holiday
from doorward.domain.people import ANY_DAY, Dates
from doorward.domain.schedules import Windows
from doorward.domain.snapshot import Rules

Spawn = Callable[[Coroutine[object, object, None]], None]
"""Runs a coroutine beside everything else."""


class Timer(Protocol):
    """Something that will be called once, unless it is cancelled before."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """The only way to know the time, or to be woken by it."""

    @property
    def zone(self) -> tzinfo:
        """Where the site is."""

    def now(self) -> datetime:
        """The time, in UTC."""

    def monotonic(self) -> float:
        """Seconds that only go forward, whatever the time of day is set to."""

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer: ...


class Publisher(Protocol):
    """The way to the broker."""

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Send at QoS 1 now, if there is a connection; otherwise it is lost, and that is counted."""

    def start_over(self) -> None:
        """Connect anew in a while: what was not acknowledged by then is delivered again."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a device. `ack` sends its PUBACK: call it when the message may be forgotten."""

    device: str
    suffix: str
    payload: bytes
    retained: bool = False
    repeated: bool = False
    ack: Callable[[], None] = field(default=lambda: None, repr=False)


# The new rows; or Unavailable when the store could not commit, anything else when it was for these rows alone.
Recorded = Callable[[list[AuditRow] | None, Exception | None], None]


class AuditStore(Protocol):
    """The audit. Rows that come back are the ones that were new: they have their ids."""

    def record(self, row: AuditRow, done: Recorded) -> None:
        """Queue a row; `done` runs on the loop after the commit. For the way of a tap."""

    async def append(self, row: AuditRow) -> AuditRow: ...

    async def recent(
        self, limit: int, before: int | None, door_id: str | None
    ) -> Sequence[AuditRow]: ...


class TrailStore(Protocol):
    """The audit as it is stored. Blocking: for other threads than the loop's."""

    def end(self) -> Head: ...

    def page(self, first: int, until: int) -> list[Link]:
        """Some rows from number `first` on, at most up to `until`; none when there are no more."""

    def stretch(self, since_ms: int | None, until_ms: int | None) -> tuple[Head, Head]:
        """The chain before and after the rows of a time; `until_ms` is the first instant that is not wanted."""

    def log_entries(self) -> int:
        """How many entries of boards' logs there are."""

    def log_findings(self) -> list[Finding]:
        """What is wrong with the boards' logs: the first bad entry of each."""


class LogStore(Protocol):
    """The boards' logs."""

    def heads(self) -> dict[str, LogHead]:
        """How far each board's log is held; read once, at start."""

    def epochs(self) -> dict[str, dict[str, LogHead]]:
        """How far every log that a board has ever begun is held, by its epoch; read once, at start."""

    async def entry(self, device: str, epoch: str, seq: int) -> LogEntry | None: ...

    async def told_since(self, device: str, received_ms: int) -> Sequence[bytes]:
        """The bodies of what a board's logs have brought since then, in their order."""

    def store_event(self, entry: LogEntry, rows: Sequence[AuditRow], done: Recorded) -> None:
        """Queue an entry with the audit rows it brings; `done` runs on the loop after the commit."""

    def store_gap(self, gap: LogEntry, rows: Sequence[AuditRow], done: Recorded) -> None:
        """As `store_event`, for an entry without a body: all up to it was lost with an older database."""

    def gaps(self) -> dict[str, int]:
        """When the last gap of each board's log was found, for those that have one; read once, at start."""


class RulesStore(Protocol):
    """People, cards, doors, levels, schedules. Changes and their audit rows are one transaction."""

    def load(self) -> Rules: ...

    async def add_person(
        self, name: str, levels: Sequence[str], row: AuditRow, dates: Dates = ANY_DAY
    ) -> AuditRow: ...

    async def set_dates(self, person_id: int, dates: Dates, row: AuditRow) -> AuditRow: ...

    async def add_card(self, uid: bytes, person: str, row: AuditRow) -> AuditRow: ...

    async def revoke_card(self, uid: bytes, row: AuditRow) -> AuditRow: ...

    async def add_holiday(self, holiday: Holiday, row: AuditRow) -> AuditRow:
        """Its id is chosen here. Raises Conflict for a name that there is."""

    async def remove_holiday(self, holiday_id: int, row: AuditRow) -> AuditRow:
        """Raises NotFound for one that has gone."""

    async def put_site(
        self,
        doors: Sequence[Door],
        schedules: Sequence[tuple[str, Windows]],
        levels: Sequence[tuple[str, Sequence[str], str]],
    ) -> None:
        """Add what is not there yet: doors, (name, windows) schedules, (name, doors, schedule) levels."""


class DeviceStore(Protocol):
    """The boards of the site. A change and its audit row are one transaction."""

    def registrations(self) -> tuple[Registration, ...]: ...

    async def put_device(
        self, device: Registration, row: AuditRow, door: Door | None = None
    ) -> AuditRow:
        """Write a board, and the door that it keeps from now on, in place of what was known of them."""


class Admission(Protocol):
    """Who may connect to the broker. Changes act at once, on connections that stand too."""

    def check_name(self, device: str) -> None:
        """Raise Conflict when the broker knows somebody else by this name."""

    async def admit(self, device: str, digest: bytes, *, waiting: bool) -> None:
        """Let a board in with the secret that has this SHA-256; a waiting one has the topics of discovery alone."""

    async def expel(self, device: str) -> None:
        """Shut a board out and forget its session, its queue and what it left; returns when the disk knows."""

    async def enforce(self, device: str) -> None:
        """After a board's certificate was taken back: when this returns, nobody is in with it, and nobody comes in.

        Raises Unavailable when a broker of its own process could not be told; it is told as soon as it answers.
        """


class CacheStore(Protocol):
    """What each board was told to hold."""

    def caches(self) -> dict[str, DeviceCache]: ...

    async def put_cache(self, cache: DeviceCache) -> None: ...


class OperatorStore(Protocol):
    """Who may sign in, and what they may do then. A change and its audit row are one transaction."""

    def operators(self) -> tuple[Account, ...]: ...

    async def add_operator(self, account: Account, at_ms: int, row: AuditRow) -> AuditRow: ...

    async def change_operator(self, account: Account, row: AuditRow | None) -> AuditRow | None:
        """Write the account in place of the one of that name."""

    async def remove_operator(self, username: str, row: AuditRow) -> AuditRow:
        """Forget an operator and their tokens."""

    def roles(self) -> dict[str, frozenset[str]]:
        """The permissions of each role."""

    async def put_role(self, name: str, held: frozenset[str], row: AuditRow) -> AuditRow:
        """Replace what a role holds."""

    def sessions(self) -> tuple[OpenSession, ...]: ...

    async def put_session(self, session: OpenSession) -> None: ...

    def touch_session(self, token: bytes, seen_ms: int) -> None:
        """Queue that a session was used; that may be lost."""

    async def drop_session(self, token: bytes) -> None: ...

    async def drop_sessions_before(self, at_ms: int) -> None: ...

    def api_tokens(self) -> tuple[ApiToken, ...]: ...

    async def add_token(self, token: ApiToken, row: AuditRow) -> tuple[ApiToken, AuditRow]:
        """Store a token; it comes back with its id."""

    def touch_token(self, token_id: int, used_ms: int) -> None:
        """Queue that a token was used; that may be lost."""

    async def drop_token(self, token_id: int, row: AuditRow) -> AuditRow: ...


class Passwords(Protocol):
    """Slow hashing of passwords, off the loop and at most a few at a time."""

    async def hash(self, password: str) -> str: ...

    async def verify(self, hashed: str, password: str) -> bool: ...


class LabBoard(NamedTuple):
    """A virtual board: whether it has power, whether its door stands open (None without a contact), what is on it."""

    running: bool
    contact_open: bool | None
    parts: tuple[str, ...]


class LabHands(Protocol):
    """The lab's control socket."""

    async def tap(self, board: str, uid: bytes) -> None: ...

    async def contact(self, board: str, is_open: bool) -> None: ...

    async def key(self, board: str, keys: str) -> None: ...

    async def press(self, board: str, part: str) -> None: ...

    async def motion(self, board: str, is_there: bool) -> None: ...

    async def pull(self, board: str, is_pulled: bool) -> None: ...

    async def faults(self) -> dict[str, str]:
        """What can be broken, and what that is."""

    async def fault(self, board: str, name: str, is_broken: bool) -> None: ...

    async def boards(self) -> dict[str, LabBoard]:
        """The virtual boards, by id."""
