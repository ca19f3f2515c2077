"""Failed attempts cost time: after a few, each one doubles the wait."""

from collections import OrderedDict
from datetime import datetime, timedelta
from math import ceil

from doorward.app.ports import Clock
from doorward.errors import TooManyAttempts

_FREE = 3  # mistypings that cost nothing
_FIRST_S = 2.0
_LONGEST_S = 300.0
_FORGET = timedelta(minutes=15)
_KEPT = 4096  # keys; the one that has been quiet longest goes first


class Backoff:
    """Counts failures by key (an address, a user name) on the injected clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, tuple[int, datetime]] = OrderedDict()

    def check(self, *keys: str) -> None:
        """Raise TooManyAttempts while one of the keys has to wait."""
        now = self._clock.now()
        for key in keys:
            count, last = self._failures.get(key, (0, now))
            if now - last > _FORGET:
                del self._failures[key]
                continue
            if count < _FREE:
                continue
            wait = min(_FIRST_S * 2 ** (count - _FREE), _LONGEST_S)
            left = ceil((last + timedelta(seconds=wait) - now).total_seconds())
            if left > 0:
                raise TooManyAttempts(
                    "too many failed attempts", f"try again in {left} s", retry_after=left
                )

    def failed(self, *keys: str) -> None:
        """Count a failure."""
        now = self._clock.now()
        for key in keys:
            count, _ = self._failures.pop(key, (0, now))
            self._failures[key] = (min(count + 1, 32), now)
            if len(self._failures) > _KEPT:
                self._failures.popitem(last=False)

    def succeeded(self, *keys: str) -> None:
        """Forget the failures."""
        for key in keys:
            self._failures.pop(key, None)
