# An open question: one random number that one sealed answer may use, once, within 5 s.

from doorward_core.compat import const, same, ticks_diff, urandom
from doorward_core.seal import NONCE_SIZE

_LIFE_MS = const(5000)


class Nonce:
    # Each purpose has its own, so that an answer to one question never fits another.
    def __init__(self) -> None:
        self.value: "bytes | None" = None
        self._since = 0

    def open(self, now: int) -> bytes:
        # A fresh one; the one before it is void from here on.
        self.value = urandom(NONCE_SIZE)
        self._since = now
        return self.value

    def age(self, now: int) -> int:
        return ticks_diff(now, self._since)

    def expire(self, now: int) -> None:
        # To be called all the time: ticks wrap, and an old question would look young again.
        if not 0 <= self.age(now) <= _LIFE_MS:
            self.value = None

    def take(self, value: bytes, now: int) -> bool:
        # True once for the open value, and never again: to be called with what a valid seal
        # carried, before acting on it.
        self.expire(now)
        if self.value is None or not same(self.value, value):
            return False
        self.value = None
        return True

    def burn(self) -> None:
        self.value = None
