"""How often a program or a page may be asked about a code that nobody has: no oftener than a keypad."""

from math import ceil

from doorward.app.ports import Clock
from doorward.errors import TooManyAttempts
from doorward_core import code_limit
from doorward_core.compat import ticks_add, ticks_diff

# From here on ticks could be taken for earlier ones. More than what can be pending is forgiven in this time.
_FORGET_S = 6 * 86400


class CodeGuesses:
    """One count for all who ask: whoever has several accounts or tokens gains nothing."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._asked = clock.monotonic()
        self._state = code_limit.start(0, 0)

    def check(self) -> None:
        """Raise TooManyAttempts while no code is looked at."""
        now = self._clock.monotonic()
        if now - self._asked > _FORGET_S:
            self._state = code_limit.start(0, _ticks(now))
        self._asked = now
        self._step("tick")
        until = self._state[2]
        if until is not None:
            left = ceil(ticks_diff(until, _ticks(now)) / 1000)
            raise TooManyAttempts(
                "too many codes that nobody has were asked about",
                f"try again in {left} s",
                retry_after=left,
            )

    def told(self, *, known: bool) -> None:
        """Count an answer."""
        self._step("granted" if known else "refused")

    def _step(self, event: str) -> None:
        now = _ticks(self._clock.monotonic())
        # Untyped, as all that boards compile and has events by name.
        self._state, _ = code_limit.step(self._state, event, now)  # type: ignore[no-untyped-call]


def _ticks(seconds: float) -> int:
    return ticks_add(0, int(seconds * 1000))
