"""What the application shows of operators, their sessions and their tokens: frozen values, and no secret in them."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in operator.

    csrf: what every changing request has to carry. fresh: has shown a password or a code lately.
    """

    username: str
    csrf: str
    expires_at: datetime
    role: str
    permissions: frozenset[str]
    fresh: bool

    def may(self, permission: str) -> bool:
        """Whether this operator may do that right now."""
        return permission in self.permissions


@dataclass(frozen=True, slots=True)
class OwnSession:
    """Where an operator is signed in. The id opens nothing."""

    id: str
    begun_at: datetime
    seen_at: datetime
    address: str
    agent: str
    current: bool


@dataclass(frozen=True, slots=True)
class OwnAccount:
    """What operators see of themselves. recovery_codes: how many are left."""

    username: str
    role: str
    has_password: bool
    second_factor: bool
    recovery_codes: int


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A second factor on offer: the otpauth:// address for a QR code, and the secret to type instead."""

    address: str = field(repr=False)
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody who may sign in, as whoever keeps the operators sees them."""

    username: str
    role: str
    second_factor: bool
    locked: bool


@dataclass(frozen=True, slots=True)
class RoleView:
    """A role, and what it holds."""

    name: str
    permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TokenView:
    """A program's token by its first characters. unattended: it may open doors with nobody there to confirm."""

    id: int
    prefix: str
    owner: str
    name: str
    scopes: tuple[str, ...]
    unattended: bool
    added_at: datetime
    expires_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class TokenHolder:
    """A program that came with a token, and what it may do right now."""

    name: str
    permissions: frozenset[str]
    unattended: bool
