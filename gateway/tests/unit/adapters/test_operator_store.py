"""Operators in gateway.db: one row each, secrets sealed to their place, nothing left of who is gone."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from doorward.adapters.store import SqlStore
from doorward.adapters.store.vault import Vault
from doorward.app.records import Account, ApiToken, OpenSession
from doorward.domain import audit, permissions
from doorward.domain.audit import AuditRow
from doorward.errors import Conflict, DatabaseDamaged, NotFound

KEY = bytes(range(32))
SEED = b"12345678901234567890"
SAM = Account("sam", "$argon2id$", "Teacher")
ROW = AuditRow(7, audit.OPERATOR_CHANGED, audit.OPERATOR)
TOKEN = ApiToken(0, b"d" * 32, "dw_abcdef", "sam", "cron", frozenset({"doors.see"}), False, 1, 9)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    store = SqlStore(tmp_path / "gateway.db", KEY)
    store.start()
    await store.accounts.add_operator(SAM, 1, ROW)
    yield store
    await store.close()


def raw(store: SqlStore, query: str, **values: Any) -> Any:
    with store._engine.begin() as connection:
        result = connection.execute(text(query), values)
        return result.all() if result.returns_rows else None


async def test_an_account_reads_back_as_it_was_written(store: SqlStore) -> None:
    assert store.accounts.operators() == (SAM,)
    changed = replace(
        SAM, role="Guest", locked=True, seed=SEED, step=3, recovery=(b"a" * 32, b"b" * 32)
    )
    stored = await store.accounts.change_operator(changed, ROW)
    assert stored is not None
    assert stored.id == 2
    assert store.accounts.operators() == (changed,)
    assert await store.accounts.change_operator(SAM, None) is None
    assert len(await store.recent(10, None, None)) == 2


async def test_a_name_is_taken_once_in_any_case(store: SqlStore) -> None:
    with pytest.raises(Conflict, match="an operator SAM already"):
        await store.accounts.add_operator(replace(SAM, username="SAM"), 1, ROW)
    assert len(await store.recent(10, None, None)) == 1  # no row without its change
    with pytest.raises(NotFound):
        await store.accounts.change_operator(replace(SAM, username="eve"), ROW)


async def test_roles_ship_and_can_be_edited(store: SqlStore) -> None:
    assert store.accounts.roles() == permissions.SHIPPED
    await store.accounts.put_role("Guest", frozenset({"doors.see", "policy.ask"}), ROW)
    assert store.accounts.roles()["Guest"] == {"doors.see", "policy.ask"}
    await store.accounts.put_role("Guest", frozenset(), ROW)
    assert store.accounts.roles()["Guest"] == frozenset()


async def test_sessions_are_kept_touched_and_dropped(store: SqlStore) -> None:
    session = OpenSession(b"t" * 32, "sam", "csrf", 100, 1, 2, "10.0.0.1", "Firefox")
    await store.accounts.put_session(session)
    store.accounts.touch_session(session.token, 50)
    await store.accounts.drop_sessions_before(99)
    assert store.accounts.sessions() == (replace(session, seen_ms=50),)
    await store.accounts.drop_sessions_before(101)
    assert store.accounts.sessions() == ()


async def test_tokens_go_with_their_owner(store: SqlStore) -> None:
    kept, _ = await store.accounts.add_token(TOKEN, ROW)
    assert kept == replace(TOKEN, id=1)
    store.accounts.touch_token(kept.id, 5)
    await store.accounts.drop_sessions_before(0)
    assert store.accounts.api_tokens() == (replace(kept, used_ms=5),)
    await store.accounts.remove_operator("sam", ROW)
    assert (store.accounts.api_tokens(), store.accounts.operators()) == ((), ())
    await store.accounts.add_operator(SAM, 1, ROW)
    again, _ = await store.accounts.add_token(TOKEN, ROW)
    await store.accounts.drop_token(again.id, ROW)
    assert store.accounts.api_tokens() == ()


async def test_a_seed_is_sealed_once_more_and_fits_its_row_alone(store: SqlStore) -> None:
    await store.accounts.change_operator(replace(SAM, seed=SEED), None)
    await store.accounts.add_operator(Account("eve", "$argon2id$", "Guest"), 1, ROW)
    [(sealed,)] = raw(store, "SELECT seed FROM operator WHERE username = 'sam'")
    assert SEED not in sealed
    raw(store, "UPDATE operator SET seed = :s WHERE username = 'eve'", s=sealed)
    sam, eve = sorted(store.accounts.operators(), key=lambda one: -len(one.role))
    assert sam.seed == SEED
    assert eve.seed is not None  # still asked for a code, and none fits
    assert eve.seed != SEED


def test_a_cell_opens_in_its_own_place_with_its_own_key_alone() -> None:
    sealed = Vault(KEY).seal(SEED, "operator", 1, "seed")
    assert Vault(KEY).open(sealed, "operator", 1, "seed") == SEED
    for key, place in (
        (KEY, ("operator", 2, "seed")),
        (KEY, ("operator", 1, "password")),
        (KEY, ("session", 1, "seed")),
        (bytes(32), ("operator", 1, "seed")),
    ):
        with pytest.raises(DatabaseDamaged):
            Vault(key).open(sealed, *place)
    with pytest.raises(DatabaseDamaged):
        Vault(KEY).open(b"short", "operator", 1, "seed")


async def test_no_secret_is_readable_on_disk(store: SqlStore, tmp_path: Path) -> None:
    await store.accounts.change_operator(replace(SAM, seed=SEED), None)
    await store.accounts.add_token(TOKEN, ROW)
    # Long enough not to be among so many random bytes by chance.
    named = Account("somebody-with-a-name", "$argon2id$", "Guest")
    await store.accounts.add_operator(named, 1, ROW)
    disk = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert len(disk) > 4096
    for secret in (SEED, TOKEN.digest, b"dw_abcdef", b"argon2id", named.username.encode()):
        assert secret not in disk


async def test_the_database_itself_holds_no_two_operators_of_a_name(store: SqlStore) -> None:
    row = "('Sam', '', 'Guest', 1, 0, 0, x'')"
    columns = "username, password, role, added_ms, locked, step, recovery"
    with pytest.raises(IntegrityError, match="UNIQUE"):
        raw(store, f"INSERT INTO operator ({columns}) VALUES {row}")
