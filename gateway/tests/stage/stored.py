"""The scene on the real store, which knows the front door: for what only SQL can get wrong."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from doorward.adapters.store import SqlStore
from doorward.domain.audit import AuditRow
from doorward.domain.devices import APPROVED, Registration
from doorward.domain.doors import Door


@asynccontextmanager
async def stored(directory: Path, kind: type[SqlStore] = SqlStore) -> AsyncIterator[SqlStore]:
    store = kind(directory / "gateway.db", bytes(32))
    store.start()
    board = Registration("front", "door-esp32", APPROVED, 0)
    row = AuditRow(0, "device.approved", "operator")
    await store.put_device(board, row, Door("front", "Front door", "front"))
    yield store
    await store.close()
