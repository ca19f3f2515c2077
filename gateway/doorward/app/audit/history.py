"""The audit read back, the newest rows first."""

from collections.abc import Callable

from doorward.app.ports import AuditStore
from doorward.app.views.audit import AuditEntry, entry
from doorward.errors import InvalidInput

_MOST = 500


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
