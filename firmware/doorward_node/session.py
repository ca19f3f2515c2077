# Whose word counts: what this board seals and opens since it started, the questions it has open,
# and how often it refused.

from doorward_core import seal
from doorward_core.compat import const, same, ticks_diff, urandom

_NONCE_LIFE_MS = const(5000)
_REPORT_S = const(60)


class Session:
    # The boot nonce, and counters that only rise. What was refused is counted in RAM: an attacker
    # must not be able to wear the flash.
    def __init__(self, keys: seal.Keys) -> None:
        self.keys = keys
        self.refused = 0
        self._boot = urandom(seal.BOOT_SIZE)
        self._said = 0
        self._heard: "dict[str, int]" = {}
        self._reasons: "dict[str, int]" = {}
        self._report_due = 0

    def newest(self) -> int:
        # The highest number that was taken of a statement since this board started.
        return max(self._heard.values()) if self._heard else 0

    def say(self, suffix: str, body: bytes) -> bytes:
        # The payload of a statement: hello, state, acknowledgement.
        self._said += 1
        return seal.seal(self.keys, suffix, seal.session_word(self._boot, self._said), body)

    def call(self, suffix: str, nonce: bytes, body: bytes) -> bytes:
        # The payload of a call, which wants an answer to its nonce.
        return seal.seal(self.keys, suffix, seal.nonce_word(nonce), body)

    def open(self, suffix: str, payload: bytes) -> tuple:
        # (kind, nonce or counter, body) of a payload with a valid seal; raises seal.SealError.
        # A statement ("s") must be meant for this boot and be newer than the last one on its
        # leaf; reason "replay" otherwise. Nonces and counters are for the caller to judge.
        sealed = seal.open_sealed(self.keys, suffix, payload)
        kind, value, number = seal.parse_freshness(sealed.freshness)
        if kind == "s":
            if value != self._boot or number <= self._heard.get(suffix, 0):
                raise seal.SealError("replay")
            self._heard[suffix] = number
        return kind, value, sealed.body

    def refuse(self, reason: str) -> None:
        self.refused += 1
        self._reasons[reason] = self._reasons.get(reason, 0) + 1

    def refusals(self, uptime: int) -> "dict[str, int]":
        # What to log: counts by reason since the last report, at most once a minute. uptime in
        # seconds: ticks would wrap while nobody refuses anything.
        if not self._reasons or uptime < self._report_due:
            return {}
        reasons, self._reasons = self._reasons, {}
        self._report_due = uptime + _REPORT_S
        return reasons


class Nonce:
    # An open question: one random number that one sealed answer may use, once, within 5 s. Each
    # purpose has its own, so that an answer to one question never fits another.
    def __init__(self) -> None:
        self.value: "bytes | None" = None
        self._since = 0

    def open(self, now: int) -> bytes:
        # A fresh one; the one before it is void from here on.
        self.value = urandom(seal.NONCE_SIZE)
        self._since = now
        return self.value

    def age(self, now: int) -> int:
        return ticks_diff(now, self._since)

    def expire(self, now: int) -> None:
        # To be called all the time: ticks wrap, and an old question would look young again.
        if not 0 <= self.age(now) <= _NONCE_LIFE_MS:
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
