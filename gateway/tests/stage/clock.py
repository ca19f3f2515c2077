"""A clock that moves when it is told to."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

# A Saturday, 11:30 in Berlin.
START = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)


class FakeTimer:
    def __init__(self, due: datetime, callback: Callable[[], None]) -> None:
        self.due = due
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class FakeClock:
    def __init__(self) -> None:
        self.zone = ZoneInfo("Europe/Berlin")
        self._now = START
        self.set_by = timedelta()  # how far somebody has set the time of day
        self._timers: list[FakeTimer] = []

    def now(self) -> datetime:
        return self._now + self.set_by

    def monotonic(self) -> float:
        return 1000.0 + (self._now - START).total_seconds()

    def call_later(self, seconds: float, callback: Callable[[], None]) -> FakeTimer:
        timer = FakeTimer(self._now + timedelta(seconds=seconds), callback)
        self._timers.append(timer)
        return timer

    def advance(self, seconds: float) -> None:
        """Let time pass; what is due is called, in order, at its own instant."""
        until = self._now + timedelta(seconds=seconds)
        while due := sorted(
            (t for t in self._timers if t.due <= until and not t.cancelled), key=lambda t: t.due
        ):
            self._timers.remove(due[0])
            self._now = due[0].due
            due[0].callback()
        self._now = until
