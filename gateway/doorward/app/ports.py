"""What the application needs from outside. Adapters fit these; tests fit them with fakes written by hand."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Protocol

from doorward.app.trust import Adoption, Anchor, AuditHead, ExportSignature, ServerIdentity
from doorward.domain.audit import AuditRow
from doorward.domain.audit_chain import Head, Link
from doorward.domain.audit_walk import Finding
from doorward.domain.devices import Registration
from doorward.domain.doors import Door
from doorward.domain.schedules import Windows
from doorward.domain.snapshot import Rules
from doorward_core.seal import Sealed

Spawn = Callable[[Coroutine[object, object, None]], None]
"""Runs a coroutine beside everything else."""


class Timer(Protocol):
    """Something that will be called once, unless it is cancelled before."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """The only way to know the time, or to be woken by it."""

    zone: tzinfo

    def now(self) -> datetime:
        """The time, in UTC."""

    def monotonic(self) -> float:
        """Seconds that only go forward, whatever the time of day is set to."""

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer: ...


class Signer(Protocol):
    """Holds the devices' keys; nobody else does.

    Raises SealError (a ValueError) for what does not verify, UnknownDevice where there is no key to work with.
    """

    def devices(self) -> tuple[str, ...]:
        """The ids of all enrolled devices."""

    def verify(self, device: str, suffix: str, payload: bytes, extra: bytes = b"") -> Sealed: ...

    def seal(
        self, device: str, suffix: str, freshness: str, body: bytes, extra: bytes = b""
    ) -> bytes: ...

    def decrypt_uid(self, device: str, nonce: bytes, block: bytes) -> bytes: ...

    def tags(self, device: str, uid: bytes) -> tuple[bytes, ...]:
        """The tags of a card on this device: under its present key, then under the one before it if there was one."""

    def epoch(self, device: str) -> int:
        """The epoch of the key in force; it rises when the first good message under the next key is verified."""

    def next_key(self, device: str, nonce: bytes) -> tuple[int, bytes]:
        """The device's next key: its epoch, and the key encrypted under the present one with this nonce.

        Made and kept at the first call; the same one until it is in force.
        """

    def build_cache(self, device: str, contents: "CacheFile") -> bytes:
        """The sealed cache file for a board. Slow for many cards, and safe on another thread."""


class Registrar(Protocol):
    """Says who is a device of this site, and gives it what proves it. The signer's other half."""

    def adopt(self, device: str) -> Adoption:
        """Make a device's secrets, key and certificate; whatever it had before is worth nothing from now on."""

    def forget(self, device: str) -> None:
        """Delete a device's keys and revoke its certificate."""

    def digests(self) -> dict[str, bytes]:
        """SHA-256 of every device's MQTT secret."""

    def serial(self, device: str) -> int | None:
        """The serial of a device's certificate; None when it has none."""

    def is_revoked(self, serial: int) -> bool: ...

    def crl(self) -> bytes:
        """The revocation list of the site's CA, PEM."""

    def certificate(self) -> bytes:
        """The certificate of the site's CA, PEM."""

    def certify_server(self, names: Sequence[str]) -> ServerIdentity:
        """A new key and certificate for servers under these names and addresses. Raises InvalidInput."""


class Notary(Protocol):
    """Remembers outside the database how far the audit went, and signs it. Part of the signer.

    Raises KeyFileError when its own files are damaged.
    """

    def anchor(
        self, count: int, digest: bytes, *, signed: bool = False, restored: bool = False
    ) -> None:
        """Remember that the audit has `count` rows and ends with `digest` (32 bytes). Cheap: for every commit.

        A signed anchor is added when `count` has passed another thousand, and when `signed` asks for it. Raises
        Conflict when the audit was longer, or as long with another end; `restored` says that this is known.
        """

    def anchors(self) -> tuple[Anchor, ...]:
        """All signed anchors, oldest first; app/proofs.py verifies them."""

    def head(self) -> AuditHead | None:
        """What was last remembered; None before the first time. After a power cut it may be a little behind."""

    def sign_export(self, digest: bytes) -> ExportSignature:
        """Sign the SHA-256 of an export; app/proofs.py verifies it with the CA certificate alone."""

    def audit_certificates(self) -> tuple[bytes, ...]:
        """Whose the signatures are: PEM certificates that lead to the site's CA, the signer's first."""


@dataclass(frozen=True, slots=True)
class CacheFile:
    """What goes into a board's cache. Instants are UTC seconds; cards are (uid, person, group)."""

    version: int
    issued: int
    soft_expiry: int
    hard_expiry: int
    windows: list[tuple[int, int, int, int, int]]
    persons: list[tuple[int | None, int | None, int]]
    cards: list[tuple[bytes, int, int]]


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


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry of a board's log: the exact bytes, and the log's digest after them."""

    device: str
    epoch: str
    seq: int
    body: bytes
    digest: bytes
    received_ms: int


@dataclass(frozen=True, slots=True)
class LogHead:
    """How far we hold a board's log."""

    epoch: str
    seq: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class DeviceCache:
    """The cache a board was last told to hold. content: a digest of what it says, without its version and dates."""

    device: str
    version: int
    content: bytes
    issued_ms: int
    file: bytes


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in. password: its argon2id hash, or "" for somebody who comes by a link alone.

    seed: of the second factor, step: the newest one whose code was used, recovery: SHA-256 of the codes that are left.
    """

    username: str
    password: str = field(repr=False)
    role: str
    locked: bool = False
    seed: bytes | None = field(default=None, repr=False)
    step: int = 0
    recovery: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session as it is stored: by the SHA-256 of its token. address and agent are for its owner to know it by."""

    token: bytes = field(repr=False)
    username: str
    csrf: str = field(repr=False)
    expires_ms: int
    begun_ms: int
    seen_ms: int
    address: str
    agent: str


@dataclass(slots=True)
class ApiToken:
    """A program's token as it is stored: by its SHA-256. id 0: not stored yet."""

    id: int
    digest: bytes = field(repr=False)
    prefix: str
    owner: str
    name: str
    scopes: frozenset[str]
    unattended: bool
    added_ms: int
    expires_ms: int
    used_ms: int | None = None


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

    def epochs(self) -> dict[str, set[str]]:
        """Every log that a board has ever begun, by its epoch; read once, at start."""

    async def entry(self, device: str, epoch: str, seq: int) -> LogEntry | None: ...

    def store_event(self, entry: LogEntry, rows: Sequence[AuditRow], done: Recorded) -> None:
        """Queue an entry with the audit rows it brings; `done` runs on the loop after the commit."""

    def store_gap(self, gap: LogEntry, rows: Sequence[AuditRow], done: Recorded) -> None:
        """As `store_event`, for an entry without a body: all up to it was lost with an older database."""

    def gaps(self) -> dict[str, int]:
        """When the last gap of each board's log was found, for those that have one; read once, at start."""


class RulesStore(Protocol):
    """People, cards, doors, levels, schedules. Changes and their audit rows are one transaction."""

    def load(self) -> Rules: ...

    async def add_person(self, name: str, levels: Sequence[str], row: AuditRow) -> AuditRow: ...

    async def add_card(self, uid: bytes, person: str, row: AuditRow) -> AuditRow: ...

    async def revoke_card(self, uid: bytes, row: AuditRow) -> AuditRow: ...

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

    def admit(self, device: str, digest: bytes, *, waiting: bool) -> None:
        """Let a board in with the secret that has this SHA-256; a waiting one has the topics of discovery alone."""

    async def expel(self, device: str) -> None:
        """Shut a board out and forget its session, its queue and what it left; returns when the disk knows."""


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


class LabHands(Protocol):
    """The lab's control socket."""

    async def tap(self, board: str, uid: bytes) -> None: ...

    async def contact(self, board: str, is_open: bool) -> None: ...

    async def boards(self) -> dict[str, bool | None]:
        """The virtual boards, and whether the door leaf of each stands open; None for one without power."""
