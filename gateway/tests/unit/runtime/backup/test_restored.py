"""The mark of a restore: put on record once, told at every start, and never guessed."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from doorward.errors import StartupError
from doorward.runtime.backup import restored

MADE = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)


class Sessions:
    def __init__(self) -> None:
        self.dropped: list[int] = []

    async def drop_sessions_before(self, at_ms: int) -> None:
        self.dropped.append(at_ms)


async def test_it_is_told_once_and_ends_every_session(tmp_path: Path) -> None:
    sessions = Sessions()
    assert restored.read(tmp_path) is None
    assert await restored.settle(tmp_path, None, sessions) is None
    assert sessions.dropped == [], "without a restore nothing is touched"
    restored.mark(tmp_path, MADE)
    found = restored.read(tmp_path)
    assert found is not None
    assert "backup of 2026-11-21T10:30:00+00:00" in (found.news or "")
    first = await restored.settle(tmp_path, found, sessions)
    found = restored.read(tmp_path)
    assert found is not None
    assert found.news is None
    assert await restored.settle(tmp_path, found, sessions) == first
    assert len(sessions.dropped) == 1
    assert sessions.dropped[0] > 1 << 62


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"backup_ms": 1}', "{", '"x"'])
def test_a_damaged_mark_is_no_missing_one(tmp_path: Path, content: str) -> None:
    (tmp_path / "restored.json").write_text(content)
    with pytest.raises(StartupError, match=r"restored.json cannot be read"):
        restored.read(tmp_path)
