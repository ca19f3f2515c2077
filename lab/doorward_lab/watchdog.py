"""The hardware watchdog of a virtual board. It counts in the lab's process, so it bites whatever the firmware does."""

import asyncio
from collections.abc import Callable


class Watchdog:
    """Calls `bite` when a started watchdog is not fed in time. As on the chip, it cannot be stopped."""

    def __init__(self, bite: Callable[[], None]) -> None:
        self._bite = bite
        self._timer: asyncio.TimerHandle | None = None
        self._timeout_s = 0.0

    def start(self, timeout_ms: int) -> None:
        """Begin to count. The shim tells feeds at most eight times a period, so that eighth is granted on top.

        Made again, it counts the new period, as the ESP32's does (esp_task_wdt_reconfigure).
        """
        self._timeout_s = timeout_ms * 1.125 / 1000
        self.feed()

    def feed(self) -> None:
        """Begin the period again."""
        self.power_off()
        self._timer = asyncio.get_running_loop().call_later(self._timeout_s, self._starved)

    def power_off(self) -> None:
        """The chip has lost power or was reset: nothing counts until the next start."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _starved(self) -> None:
        self._timer = None
        self._bite()
