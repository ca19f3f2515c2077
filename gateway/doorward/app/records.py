"""What the stores keep, as the application reads and writes it."""

from dataclasses import dataclass, field


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
class Firmware:
    """A bundle that is kept, without its content. size: bytes of its files; actor: who brought it."""

    version: str
    epoch: int
    size: int
    added_ms: int
    actor: str


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
