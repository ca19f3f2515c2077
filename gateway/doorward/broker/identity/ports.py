"""What the broker asks of who knows its clients: their secrets, passwords and certificates."""

from collections.abc import Awaitable
from typing import NamedTuple, Protocol

from doorward.broker.identity.principals import Principal


class Refusal(NamedTuple):
    """Why a CONNECT is refused: the return code for the client, and the reason for the log."""

    code: int
    reason: str


class Logins(Protocol):
    """Who may come in by name and secret. Asked once a connection, before anything else is told or changed."""

    def check(
        self, name: str, secret: bytes, address: str
    ) -> Principal | Refusal | Awaitable[Principal | Refusal]:
        """Return the principal when the secret fits, at once or later. `address` is the caller's host.

        What is awaited is cancelled when the caller hangs up meanwhile; a secret that was being compared by then has
        to be counted all the same if it was wrong. It must look again, as its last step, whether the secret is still
        the one it compared with.
        """


class Certificates(Protocol):
    """Who has which certificate. Asked once a connection."""

    def serial(self, name: str) -> int | None:
        """The serial of a client's certificate; None for one that has none, and may come without."""

    def is_revoked(self, serial: int) -> bool:
        """True for a certificate that was taken back."""


class Passwords(Protocol):
    """Slow hashing of people's passwords, off the loop and at most a few at a time."""

    async def hash(self, password: str) -> str:
        """Return what may be kept of it."""

    async def verify(self, hashed: str, password: str) -> bool:
        """Return whether it fits."""
