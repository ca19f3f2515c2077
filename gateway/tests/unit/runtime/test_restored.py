"""The mark of a restore: put on record once, told at every start, and never guessed."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from doorward.adapters.store import SqlStore
from doorward.app.ports import OpenSession
from doorward.errors import StartupError
from doorward.runtime import restored

MADE = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)


async def test_it_is_put_on_record_once_and_ends_every_session(tmp_path: Path) -> None:
    store = SqlStore(tmp_path / "gateway.db", bytes(32))
    store.start()
    await store.put_session(OpenSession(b"token", "maya", "csrf", 1 << 50))
    assert await restored.put_on_record(tmp_path, store) is None
    assert len(store.sessions()) == 1, "without a restore nothing is touched"
    restored.mark(tmp_path, MADE)
    first = await restored.put_on_record(tmp_path, store)
    assert first is not None
    assert await restored.put_on_record(tmp_path, store) == first
    assert store.sessions() == ()
    [row] = await store.recent(10, None, None)
    assert (row.kind, row.at_ms, row.note) == (
        "restored",
        first,
        "backup of 2026-11-21T10:30:00+00:00",
    )
    await store.close()


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"backup_ms": 1}', "{", '"x"'])
async def test_a_damaged_mark_is_no_missing_one(tmp_path: Path, content: str) -> None:
    (tmp_path / "restored.json").write_text(content)
    store = SqlStore(tmp_path / "gateway.db", bytes(32))
    store.start()
    with pytest.raises(StartupError, match=r"restored.json cannot be read"):
        await restored.put_on_record(tmp_path, store)
    await store.close()
