# Counts what was refused, in RAM: an attacker must not be able to wear the flash.

from doorward_core.compat import const, ticks_diff

_REPORT_MS = const(60000)


class Refusals:
    def __init__(self, now: int) -> None:
        self.total = 0
        self._reasons: "dict[str, int]" = {}
        self._reported = now - _REPORT_MS

    def count(self, reason: str) -> None:
        self.total += 1
        self._reasons[reason] = self._reasons.get(reason, 0) + 1

    def report(self, now: int) -> "dict[str, object] | None":
        # What to log: counts by reason since the last report, at most once a minute.
        if not self._reasons or ticks_diff(now, self._reported) < _REPORT_MS:
            return None
        reasons, self._reasons = self._reasons, {}
        self._reported = now
        return {"reasons": reasons}
