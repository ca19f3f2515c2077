# Counts what was refused, in RAM: an attacker must not be able to wear the flash.

from doorward_core.compat import const

_REPORT_S = const(60)


class Refusals:
    def __init__(self) -> None:
        self.total = 0
        self._reasons: "dict[str, int]" = {}
        self._due = 0

    def count(self, reason: str) -> None:
        self.total += 1
        self._reasons[reason] = self._reasons.get(reason, 0) + 1

    def report(self, uptime: int) -> "dict[str, object] | None":
        # What to log: counts by reason since the last report, at most once a minute. uptime in
        # seconds: ticks would wrap while nobody refuses anything.
        if not self._reasons or uptime < self._due:
            return None
        reasons, self._reasons = self._reasons, {}
        self._due = uptime + _REPORT_S
        return {"reasons": reasons}
