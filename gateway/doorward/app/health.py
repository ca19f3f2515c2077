"""The gateway's view of its own health: a list of looks, each of which says what it saw and what to do."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from doorward.app.views.health import Health, HealthCheck

Look = Callable[[], HealthCheck]


class HealthMonitor:
    """Takes every look when asked."""

    def __init__(
        self, version: str, directory: Path, started_at: datetime, looks: Sequence[Look]
    ) -> None:
        self._version = version
        self._directory = directory
        self._started_at = started_at
        self._looks = looks

    async def snapshot(self) -> Health:
        """Everything, as of now."""
        checks = tuple(look() for look in self._looks)
        return Health(self._version, self._started_at, str(self._directory), checks)
