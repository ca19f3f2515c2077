"""The system's clock behind the Clock port."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo

from doorward.app.ports import Timer


class SystemClock:
    """UTC from the system, timers from the running event loop."""

    def __init__(self, zone: tzinfo) -> None:
        """`zone` is where the doors are: schedules are in its local time."""
        self.zone = zone

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        return asyncio.get_running_loop().call_later(seconds, callback)
