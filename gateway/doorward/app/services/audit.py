"""What can be asked about the audit; errors as in `services`."""

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from doorward.app.views.audit import AuditEntry, AuditVerdict


class History(Protocol):
    """The audit, newest first."""

    async def recent(
        self, limit: int = 50, before: int | None = None, door: str | None = None
    ) -> tuple[AuditEntry, ...]:
        """At most `limit` (1–500) entries with an id below `before`, of one door or of all."""


class Trail(Protocol):
    """The audit as a whole: whether it is what was written, and to take along."""

    async def verify(self) -> AuditVerdict:
        """Look at every row. For a million rows that takes seconds."""

    async def export(
        self, form: str, since: datetime | None, until: datetime | None, *, actor: str
    ) -> Iterator[bytes]:
        """The rows of a time as `jsonl` or `csv`, signed; who takes them along is on record. Blocking to iterate."""
