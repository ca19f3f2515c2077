# What time it is: as the gateway said, carried on by the board's own ticks. Never NTP.

from doorward_core import timestamps
from doorward_core.compat import const, ticks_add, ticks_diff

# An answer that took longer is of no use: it may be wrong by that much.
_MAX_ROUND_TRIP_MS = const(2000)
# Two answers that differ by more are not of one clock that is right.
_STEADY_S = const(60)


class Clock:
    # Every `now` is in ticks. Has to be asked something at least every 6 days, or ticks wrap.
    # ticks(): the present ones, for stamp_now().
    def __init__(self, now: int, ticks=None) -> None:
        self._ticks = now
        self._now = ticks
        self._uptime = 0
        self._answer: "tuple[int, int, int, int] | None" = None
        self._ahead = self._since = 0

    def uptime(self, now: int) -> int:
        # Whole seconds since the board started.
        passed = ticks_diff(now, self._ticks) // 1000
        self._uptime += passed
        self._ticks = ticks_add(self._ticks, passed * 1000)
        return self._uptime

    def set(self, answer: "tuple[int, int, int, int]", round_trip_ms: int, now: int) -> bool:
        # answer: as board_messages.parse_time_answer() returns it.
        # Takes the gateway's time over, unless the answer was too long on its way.
        if not 0 <= round_trip_ms < _MAX_ROUND_TRIP_MS:
            return False
        uptime = self.uptime(now)
        ahead = answer[0] - uptime
        if self._answer is None or abs(ahead - self._ahead) > _STEADY_S:
            self._since = uptime
        self._answer = answer
        self._ahead = ahead
        return True

    def steady(self) -> int:
        # For how many seconds the gateway has told the same time.
        return self._uptime - self._since

    def utc(self, now: int) -> "int | None":
        # UTC seconds; None until the gateway has told.
        if self._answer is None:
            return None
        return self.uptime(now) + self._ahead

    def local(self, now: int) -> "tuple[int | None, int | None]":
        # (day since 2000-01-01, minute of the day) at the door; (None, None) while unknown.
        utc = self.utc(now)
        answer = self._answer
        if utc is None or answer is None:
            return None, None
        _, offset, next_change, next_offset = answer
        changed = next_change and utc >= next_change
        return timestamps.local(utc, next_offset if changed else offset)

    def stamp(self, now: int) -> "tuple[str, str]":
        # (ISO time, "gateway") or, before the gateway has told, (time since start, "free").
        utc = self.utc(now)
        if utc is None:
            return timestamps.iso(self.uptime(now)), "free"
        return timestamps.iso(utc), "gateway"

    def stamp_now(self) -> "tuple[str, str]":
        # A method: a function of the assembly would keep all of the assembly.
        return self.stamp(self._now())  # pyright: ignore[reportOptionalCall]
