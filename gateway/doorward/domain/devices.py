"""The boards of a site: who was given keys, who has announced itself, who is trusted with a door."""

import hashlib
import hmac
from dataclasses import dataclass, replace

WAITING = "waiting"  # it has keys, and nobody has heard of it
ANNOUNCED = "announced"  # it has shown its claim code, and somebody has to name it
APPROVED = "approved"
REVOKED = "revoked"

_DOORLESS = frozenset({"lamp", "motion"})


@dataclass(frozen=True, slots=True)
class Registration:
    """One board. Times are UTC ms. `claim` is the SHA-256 of its claim code, None once that is used up."""

    id: str
    board: str  # the profile of its wiring
    state: str
    adopted_ms: int
    serial: str | None = None  # of its certificate, in hex
    claim: bytes | None = None
    firmware: str | None = None
    announced_ms: int | None = None
    approved_ms: int | None = None
    revoked_ms: int | None = None
    trusts: str | None = None  # whose firmware it takes: a fingerprint of the key
    role: str = "door"  # of its profile: what it is there for
    name: str | None = None  # what people call it, where it keeps no door

    @property
    def keeps_door(self) -> bool:
        """Whether there is a lock on it."""
        return self.role not in _DOORLESS

    def fits(self, claim: bytes) -> bool:
        """True when this is the claim code that the board was given, and it was not used yet."""
        return self.claim is not None and hmac.compare_digest(digest(claim), self.claim)

    def announced(self, board: str, firmware: str, at_ms: int) -> "Registration":
        """It has shown its claim code."""
        return replace(self, state=ANNOUNCED, board=board, firmware=firmware, announced_ms=at_ms)

    def approved(self, at_ms: int, name: str | None = None) -> "Registration":
        """Somebody trusts it, with a door or under a name of its own; its claim code is used up."""
        return replace(self, state=APPROVED, claim=None, approved_ms=at_ms, name=name)

    def revoked(self, at_ms: int) -> "Registration":
        """It is never to be believed again."""
        return replace(self, state=REVOKED, claim=None, revoked_ms=at_ms)


def digest(claim: bytes) -> bytes:
    """What is kept of a claim code."""
    return hashlib.sha256(claim).digest()
