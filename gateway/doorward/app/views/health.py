"""What `doctor` is shown of a running gateway."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One thing that `doctor` looks at."""

    name: str
    ok: bool
    detail: str
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """All of them, and what runs since when."""

    version: str
    started_at: datetime
    data: str
    checks: tuple[HealthCheck, ...]

    @property
    def ok(self) -> bool:
        """True if every check passed."""
        return all(check.ok for check in self.checks)
