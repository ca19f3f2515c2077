"""Who may connect: boards and the gateway with a 256-bit random secret each, users with a password.

Of a secret the SHA-256 is kept. A fast hash is right for it: nobody guesses 256 random bits, and two thousand boards
that come back at once must not wait for a slow one. Of a password the slow hash is kept, and `logins` compares it.
"""

import enum
import hashlib
import hmac
from dataclasses import dataclass
from typing import Protocol

from doorward.broker.identity.proved import Proved
from doorward.broker.identity.welcome import Welcome
from doorward_core import topics

_NOBODY = hashlib.sha256(b"").digest()
_SHORTEST = 32  # hex digits: below 128 bits a fast hash would not do


class Role(enum.Enum):
    """What kind of client a principal is; the policy turns it into rights."""

    DEVICE = "device"
    WAITING = "waiting"  # a device that nobody has approved yet
    GATEWAY = "gateway"
    API = "api"  # the gateway's own clients, that speak for its operators; may do all but what users never may
    USER = "user"  # a person or a tool, with a password; `Principal.roles` says what it may do


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated client. Its name is its user name, and for all but users its client id."""

    name: str
    role: Role = Role.DEVICE
    roles: frozenset[str] = frozenset()  # of a user: the roles whose rules it follows


_BOARDS = frozenset({Role.DEVICE, Role.WAITING})


class Changed(Protocol):
    """Hears of a principal that was added, or removed when `digest` is None."""

    def __call__(self, principal: Principal, digest: bytes | None, *, keep: bool) -> None:
        """With `keep` the change is to outlive the process."""


class Principals:
    """The set of principals, in memory. Through `changed` the broker keeps it on disk and ends what is removed.

    Add those that are not kept before the broker starts: a session without a principal is forgotten then.
    """

    def __init__(self) -> None:
        """Start with nobody: there is no default account."""
        self._known: dict[str, tuple[Principal, bytes]] = {}
        self._hashes: dict[str, str] = {}  # of users
        self.changed: Changed = _unheard
        self.welcome = Welcome()  # of users
        self.proved = Proved()  # ditto

    def add(
        self, name: str, secret: str, role: Role = Role.DEVICE, *, keep: bool = True
    ) -> Principal:
        """Let `name` in with `secret`; replaces an older secret. With `keep` the broker stores it.

        Raises ValueError as `admit` does, and when the secret is too short to be random.
        """
        if len(secret) < _SHORTEST:
            raise ValueError(f"the secret of {name} is shorter than {_SHORTEST} characters")
        return self.admit(name, _digest(secret), role, keep=keep)

    def admit(
        self, name: str, digest: bytes, role: Role = Role.DEVICE, *, keep: bool = True
    ) -> Principal:
        """Let `name` in with the secret that has this SHA-256. Its present connection ends: the rights may be others.

        Raises ValueError when the name is no id, or is the gateway's and asked for by a device or the other way round.
        """
        if not topics.is_id(name):
            raise ValueError(f"{name!r} is no client id: 1 to 32 of A-Z a-z 0-9 _ -")
        principal = Principal(name, role)
        known = self.get(name)
        if known is not None and not {known.role, role} <= _BOARDS and known.role is not role:
            raise ValueError(f"{name} is the name of a {known.role.value} already")
        self._known[name] = (principal, digest)
        self.changed(principal, digest, keep=keep)
        return principal

    def put_user(self, name: str, roles: frozenset[str], hashed: str) -> Principal:
        """Let a user in with the password behind `hashed`, or change one; what is connected stays so.

        Raises ValueError when it is the name of a board or of the gateway.
        """
        known = self.get(name)
        if known is not None and known.role is not Role.USER:
            raise ValueError(f"{name} is the name of a {known.role.value} already")
        principal = Principal(name, Role.USER, roles)
        self._known[name] = (principal, b"")
        if self._hashes.get(name) != hashed:
            self.proved.forget(name)
        self._hashes[name] = hashed
        return principal

    def hash_of(self, name: str) -> str | None:
        """What is kept of a user's password."""
        return self._hashes.get(name)

    def restore(self, principal: Principal, digest: bytes) -> None:
        """Take back a principal that the store remembers; one that was added meanwhile stays."""
        self._known.setdefault(principal.name, (principal, digest))

    def remove(self, name: str) -> bool:
        """Shut `name` out: its connection, session and queue end now. False when there was nobody."""
        known = self._known.pop(name, None)
        self._hashes.pop(name, None)
        self.proved.forget(name)
        if known is None:
            return False
        self.welcome.forget(name)
        self.changed(known[0], None, keep=True)
        return True

    def check(self, name: str, secret: bytes) -> Principal | None:
        """Return the principal when the secret fits, in a time that does not tell which part was wrong."""
        principal, digest = self._known.get(name, (None, _NOBODY))
        fits = hmac.compare_digest(_digest(secret), digest)
        return principal if fits else None

    def get(self, name: str) -> Principal | None:
        """Return the principal of that name."""
        known = self._known.get(name)
        return known[0] if known else None

    def names(self) -> tuple[str, ...]:
        """All names, sorted."""
        return tuple(sorted(self._known))


def _digest(secret: str | bytes) -> bytes:
    return hashlib.sha256(secret.encode() if isinstance(secret, str) else secret).digest()


def _unheard(principal: Principal, digest: bytes | None, *, keep: bool) -> None:
    """Nobody listens before there is a broker."""
