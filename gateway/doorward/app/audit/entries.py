"""Audit rows as people read them."""

from collections.abc import Callable

from doorward.app.ports import AuditStore
from doorward.app.views.audit import AuditEntry
from doorward.domain.audit import AuditRow
from doorward.domain.explain import rule_name
from doorward.domain.instants import instant
from doorward.errors import InvalidInput

_MOST = 500


def entry(row: AuditRow) -> AuditEntry:
    """A stored row for the page, the API and the feed."""
    return AuditEntry(
        id=row.id,
        at=instant(row.at_ms),
        kind=row.kind,
        door_id=row.door_id,
        door_name=row.door_name,
        person=row.person,
        card_tail=row.card_tail,
        granted=row.granted,
        rule=row.rule,
        rule_name=None if row.rule is None else rule_name(row.rule),
        why=row.why,
        source=row.source,
        actor=row.actor,
        note=row.note,
        device=row.device,
    )


class AuditHistory:
    """Reads the audit back. `door_id` turns what people call a door into its id."""

    def __init__(self, store: AuditStore, door_id: Callable[[str], str]) -> None:
        self._store = store
        self._door_id = door_id

    async def recent(
        self, limit: int = 50, before: int | None = None, door: str | None = None
    ) -> tuple[AuditEntry, ...]:
        """At most `limit` entries with an id below `before`, newest first."""
        if not 1 <= limit <= _MOST:
            raise InvalidInput(
                f"limit {limit} is out of range", f"give 1 to {_MOST}", field="limit"
            )
        door_id = None if door is None else self._door_id(door)
        rows = await self._store.recent(limit, before, door_id)
        return tuple(entry(row) for row in rows)
