"""Keeps one client's mistakes from filling a log."""

from collections.abc import Callable


def more_before(unsaid: int) -> str:
    """What a line adds about those that were held back before it; nothing when there were none."""
    return f", {unsaid} more before it" if unsaid else ""


class Throttle:
    """Lets the first few of each name through, and one a second after them; of the rest it keeps the count."""

    def __init__(self, burst: int, clock: Callable[[], float]) -> None:
        """`burst`: how many come through at once; `clock` is monotonic seconds."""
        self._burst = burst
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}  # how many may still come, as of when
        self._held: dict[str, int] = {}

    def passes(self, name: str) -> int | None:
        """None when this one is held back, else how many were since the last that came through."""
        now = self._clock()
        left, since = self._left.get(name, (float(self._burst), now))
        left = min(left + now - since, self._burst)
        if left < 1:
            self._left[name] = (left, now)
            self._held[name] = self._held.get(name, 0) + 1
            return None
        self._left[name] = (left - 1, now)
        return self._held.pop(name, 0)
