"""Failed attempts cost time: after a few, each one doubles the wait; after many, a key is locked for an hour.

All on the monotonic clock: whoever can set the time of day gains no guess.
"""

import ipaddress
from collections import OrderedDict
from math import ceil
from typing import Protocol

from doorward.errors import TooManyAttempts

_FIRST_S = 2.0
_LONGEST_S = 300.0
_FORGET_S = 900.0
LOCK_S = 3600.0
KEPT = 4096  # of keys that anybody can make up; the one that has been quiet longest goes first
_NETWORK_BITS = 64


class Monotonic(Protocol):
    """Part of a clock."""

    def monotonic(self) -> float:
        """Seconds that only go forward."""


class Backoff:
    """Counts failures by key (an address, a user name)."""

    def __init__(
        self,
        clock: Monotonic,
        *,
        free: int = 3,
        lock_after: int | None = None,
        kept: int | None = KEPT,
        longest: float = _LONGEST_S,
    ) -> None:
        """The first `free` mistypings cost nothing; `lock_after` failures in a row lock the key.

        `kept`: how many keys at most; None where they are few, and none may be pushed out by inventing others.
        `longest`: no wait but a lock is longer, in seconds.
        """
        self._clock = clock
        self._free = free
        self._lock_after = lock_after
        self._kept = kept
        self._longest = longest
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def check(self, *keys: str) -> None:
        """Raise TooManyAttempts while one of the keys has to wait."""
        left = max(self._left(key) for key in keys)
        if left > 0:
            raise TooManyAttempts(
                "too many failed attempts", f"try again in {left} s", retry_after=left
            )

    def warned(self, key: str) -> bool:
        """Whether the free mistypings of a key are used up."""
        return self._failures.get(key, (0, 0.0))[0] >= self._free

    def failed(self, *keys: str) -> None:
        """Count a failure."""
        for key in keys:
            count, _ = self._failures.pop(key, (0, 0.0))
            self._put(key, count + 1)

    def take_back(self, key: str) -> None:
        """Count one failure less: it was none. The wait for those before it begins with it, all the same."""
        count, last = self._failures.get(key, (0, 0.0))
        if count > 1:
            self._failures[key] = count - 1, last
        else:
            self._failures.pop(key, None)

    def succeeded(self, *keys: str) -> None:
        """Forget the failures."""
        for key in keys:
            self._failures.pop(key, None)

    def lock(self, key: str) -> None:
        """Lock a key as if it had failed often enough right now."""
        self._put(key, self._lock_after or 0)

    def locked(self, key: str) -> bool:
        """Whether a key is locked right now."""
        return self._left(key) > 0 and self._is_lock(self._failures[key][0])

    def _put(self, key: str, count: int) -> None:
        self._failures[key] = (min(count, 64), self._clock.monotonic())
        if self._kept is not None and len(self._failures) > self._kept:
            self._failures.popitem(last=False)

    def _left(self, key: str) -> int:
        """How many seconds this key has to wait; what is old enough is forgotten."""
        count, last = self._failures.get(key, (0, 0.0))
        passed = self._clock.monotonic() - last
        wait = self._wait(count)
        if passed > max(wait, _FORGET_S):
            self._failures.pop(key, None)
            return 0
        return ceil(wait - passed) if wait > passed else 0

    def _wait(self, count: int) -> float:
        if self._is_lock(count):
            return LOCK_S
        return (
            min(_FIRST_S * 2 ** (count - self._free), self._longest) if count >= self._free else 0.0
        )

    def _is_lock(self, count: int) -> bool:
        return self._lock_after is not None and count >= self._lock_after


def place_of(address: str) -> str:
    """What counts as one place: all of an IPv6 network, as whoever is in it has 2**64 addresses to come from."""
    try:
        known = ipaddress.IPv6Address(address)
    except ValueError:
        return address
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(known), _NETWORK_BITS), strict=False))
