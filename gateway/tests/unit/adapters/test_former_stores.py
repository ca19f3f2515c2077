"""gateway.db as former versions left it, on real SQLCipher: nothing is lost, and what is new works."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from doorward.adapters.store import SqlStore
from doorward.app.records import Account
from doorward.database import open_database, upgrade
from doorward.domain import permissions
from doorward.domain.audit import AuditRow
from doorward.domain.holidays import Holiday
from doorward.errors import Conflict, NotFound

KEY = bytes(range(32))
ADDED = AuditRow(7, "person.added", "operator")


@contextmanager
def database_of(
    tmp_path: Path, revision: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Connection]:
    """gateway.db as a former version left it."""
    upgrade_revs = ScriptDirectory._upgrade_revs
    with monkeypatch.context() as back:
        back.setattr(
            ScriptDirectory,
            "_upgrade_revs",
            lambda scripts, _, current: upgrade_revs(scripts, revision, current),
        )
        engine = open_database(tmp_path / "gateway.db", KEY)
        upgrade(engine, "doorward.adapters.store")
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def test_who_was_an_operator_before_there_were_roles_is_an_admin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database_of(tmp_path, "0001", monkeypatch) as connection:
        connection.exec_driver_sql(
            "INSERT INTO operator (username, password, added_ms) VALUES ('sam', '$argon2id$', 1)"
        )
    store = SqlStore(tmp_path / "gateway.db", KEY)
    assert store.accounts.operators() == (Account("sam", "$argon2id$", permissions.ADMIN),)
    store._engine.dispose()


def test_a_board_that_kept_a_door_before_there_was_a_registry_is_approved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database_of(tmp_path, "0002", monkeypatch) as connection:
        connection.exec_driver_sql(
            "INSERT INTO door (id, name, device, strike_ms, cap_ms, held_ms, min_strength, lockdown) "
            "VALUES ('front', 'Front door', 'door-7', 5000, 10000, 30000, 1, 0)"
        )
    store = SqlStore(tmp_path / "gateway.db", KEY)
    (board,) = store.registrations()
    assert (board.id, board.state, board.claim) == ("door-7", "approved", None)
    assert board.board == "door-esp32", "its profile has another name since"
    store._engine.dispose()


async def test_a_database_from_before_there_were_holidays_has_none_and_takes_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database_of(tmp_path, "0009", monkeypatch) as connection:
        connection.exec_driver_sql("INSERT INTO schedule (name) VALUES ('Office')")
    store = SqlStore(tmp_path / "gateway.db", KEY)
    store.start()
    assert ([one.name for one in store.load().schedules], store.load().holidays) == (["Office"], ())
    await store.add_person("Ana Ruiz", (), ADDED, (None, 9999))
    await store.set_dates(1, (9000, None), ADDED)
    assert [(p.valid_from, p.valid_until) for p in store.load().people] == [(9000, None)]
    await store.add_holiday(Holiday(0, "May Day", 9982, 9983, yearly=True), ADDED)
    assert store.load().holidays == (Holiday(1, "May Day", 9982, 9983, yearly=True),)
    with pytest.raises(Conflict):
        await store.add_holiday(Holiday(0, "MAY day", 1, 1), ADDED)
    await store.remove_holiday(1, ADDED)
    with pytest.raises(NotFound):
        await store.remove_holiday(1, ADDED)
    assert store.load().holidays == ()
    assert len(await store.recent(9, None, None)) == 4, "a row for each that was done"
    await store.close()
