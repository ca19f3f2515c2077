"""Passwords that proved right: many clients of one user are let in for the price of one slow hash."""

import hmac
import secrets


class Proved:
    """One password a user, by its HMAC under a key that is nowhere but here and goes with the process."""

    def __init__(self) -> None:
        """Begin with none."""
        self._key = secrets.token_bytes(32)
        self._marks: dict[str, bytes] = {}

    def has(self, name: str, secret: bytes) -> bool:
        """Whether this very password proved right, and is that user's still."""
        return hmac.compare_digest(self._mark(secret), self._marks.get(name, b""))

    def add(self, name: str, secret: bytes) -> None:
        """It has proved right."""
        self._marks[name] = self._mark(secret)

    def forget(self, name: str) -> None:
        """There is another password, or no such user any more."""
        self._marks.pop(name, None)

    def _mark(self, secret: bytes) -> bytes:
        return hmac.digest(self._key, secret, "sha256")
