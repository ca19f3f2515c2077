"""gateway.db on real SQLCipher: whole changes, one row a tap, nothing readable on disk."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from doorward.adapters.store import SqlStore
from doorward.adapters.store.tables import metadata
from doorward.app.records import DeviceCache, LogEntry, LogHead
from doorward.database import open_database
from doorward.domain.audit import AuditRow
from doorward.domain.devices import Registration
from doorward.domain.doors import Door
from doorward.errors import Conflict, NotFound
from doorward_core import seal
from doorward_core.schedule import ALWAYS

KEY = bytes(range(32))
UID = bytes.fromhex("04a1b2c3d4e5f6")
ADDED = AuditRow(7, "person.added", "operator")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    store = SqlStore(tmp_path / "gateway.db", KEY)
    store.start()
    await store.put_site(
        [Door("front", "Front door", "front")],
        [("Always", ALWAYS)],
        [("Members", ("front",), "Always")],
    )
    yield store
    await store.close()


def tap(request: str, *, granted: bool, reporter: str = "gateway") -> AuditRow:
    return AuditRow(
        1, "access.decision", reporter, reporter, "front", request, "front", granted=granted
    )


def entry(
    seq: int, before: bytes, *, epoch: str = "0a0b0c0d", device: str = "front", body: bytes = b"{}"
) -> LogEntry:
    return LogEntry(device, epoch, seq, body, seal.chain(before, epoch, seq, body), 5)


def everything(directory: Path) -> bytes:
    """The database and its write-ahead log, as a thief finds them."""
    return b"".join(file.read_bytes() for file in directory.iterdir())


async def test_rules_come_back_as_they_were_put(store: SqlStore) -> None:
    await store.add_person("Maya Okafor", ("Members",), ADDED)
    await store.add_card(UID, "maya okafor", ADDED)
    rules = store.load()
    assert [(p.name, len(p.levels)) for p in rules.people] == [("Maya Okafor", 1)]
    assert [(c.uid, c.revoked, c.added_ms) for c in rules.credentials] == [(UID, False, 7)]
    assert rules.schedules[0].windows == ALWAYS
    assert rules.doors == (Door("front", "Front door", "front"),)
    await store.revoke_card(UID, ADDED)
    assert store.load().credentials[0].revoked


async def test_putting_a_site_twice_changes_nothing(store: SqlStore) -> None:
    before = store.load()
    await store.put_site(
        [Door("front", "Another name", "other")],
        [("Always", ())],
        [("Members", (), "Always")],
    )
    assert store.load() == before


async def test_a_change_that_fails_leaves_no_trace(store: SqlStore) -> None:
    await store.add_person("Maya Okafor", (), ADDED)
    with pytest.raises(Conflict, match="MAYA OKAFOR already"):
        await store.add_person("MAYA OKAFOR", (), ADDED)
    with pytest.raises(NotFound, match="known: Members"):
        await store.add_person("Half Done", ("Nobody's level",), ADDED)
    await store.add_card(UID, "Maya Okafor", ADDED)
    with pytest.raises(Conflict, match="belongs to somebody"):
        await store.add_card(UID, "Maya Okafor", ADDED)
    with pytest.raises(NotFound, match="nobody has that card"):
        await store.revoke_card(b"1234", ADDED)
    assert [person.name for person in store.load().people] == ["Maya Okafor"]
    assert len(await store.recent(10, None, None)) == 2


async def test_a_tap_is_one_row_whoever_tells_it_first(store: SqlStore) -> None:
    assert (await store.append(tap("01", granted=True))).id == 1
    await store.append(tap("01", granted=True, reporter="board"))
    await store.append(tap("02", granted=False, reporter="board"))
    await store.append(tap("02", granted=False))
    rows = await store.recent(10, None, None)
    assert [(row.id, row.request, row.reporter) for row in rows] == [
        (2, "02", "board"),
        (1, "01", "gateway"),
    ]


async def test_accounts_that_differ_are_both_kept_and_no_third(store: SqlStore) -> None:
    await store.append(tap("01", granted=True))
    for _ in range(3):
        await store.append(tap("01", granted=False, reporter="board"))
    await store.append(tap("01", granted=False))
    kinds = [(row.kind, row.granted) for row in await store.recent(10, None, None)]
    assert kinds == [("correction", False), ("access.decision", True)]


async def test_a_request_decided_twice_by_the_same_side_is_the_first_decision(
    store: SqlStore,
) -> None:
    await store.append(tap("01", granted=True))
    await store.append(tap("01", granted=False))
    assert [row.granted for row in await store.recent(10, None, None)] == [True]


async def test_a_log_entry_is_kept_once_with_what_it_means(store: SqlStore) -> None:
    kept = entry(1, seal.CHAIN_START, body=b'{"exact" : 1}')
    seen: list[int] = []
    for _ in range(2):
        store.store_event(
            kept, [tap("01", granted=True)], lambda rows, _: seen.append(len(rows or []))
        )
    await store.append(tap("02", granted=True))
    assert await store.entry("front", "0a0b0c0d", 1) == kept
    assert seen == [1, 0]
    assert store.heads() == {"front": LogHead("0a0b0c0d", 1, kept.digest)}


async def test_the_head_is_the_newest_log_of_each_board(store: SqlStore) -> None:
    first = entry(1, seal.CHAIN_START, epoch="aaaaaaaa")
    back = entry(1, seal.CHAIN_START, epoch="cccccccc", device="back")
    anew = entry(1, seal.CHAIN_START, epoch="bbbbbbbb")
    for kept in (first, back, entry(2, first.digest, epoch="aaaaaaaa"), anew):
        store.store_event(kept, [], lambda *_: None)
    await store.append(ADDED)
    heads = {device: (head.epoch, head.seq) for device, head in store.heads().items()}
    assert heads == {"front": ("bbbbbbbb", 1), "back": ("cccccccc", 1)}


async def test_an_entry_without_its_predecessor_is_not_kept(store: SqlStore) -> None:
    first = entry(1, seal.CHAIN_START)
    second = entry(2, first.digest)
    errors: list[Exception | None] = []
    # One group: the second fails alone, because of what it would mean for the audit.
    for kept, row in (first, "00"), (second, "\ud800"), (entry(3, second.digest), "02"):
        store.store_event(kept, [tap(row, granted=True)], lambda _, error: errors.append(error))
    await store.append(ADDED)
    assert [type(error) for error in errors] == [type(None), UnicodeEncodeError, Conflict]
    assert store.heads() == {"front": LogHead("0a0b0c0d", 1, first.digest)}


async def test_another_entry_in_a_place_that_is_taken_is_not_kept(store: SqlStore) -> None:
    errors: list[Exception | None] = []
    for body in (b"one", b"two"):
        kept = entry(1, seal.CHAIN_START, body=body)
        store.store_event(kept, [], lambda _, error: errors.append(error))
    await store.append(ADDED)
    assert [type(error) for error in errors] == [type(None), Conflict]


async def test_history_goes_back_page_by_page(store: SqlStore) -> None:
    await asyncio.gather(*(store.append(tap(f"{n:02}", granted=True)) for n in range(7)))
    first = await store.recent(3, None, "front")
    second = await store.recent(3, first[-1].id, "front")
    assert [row.id for row in (*first, *second)] == [7, 6, 5, 4, 3, 2]
    assert await store.recent(3, None, "back") == []


async def test_a_board_is_told_the_newest_cache(store: SqlStore) -> None:
    for version in (1, 2):
        cache = DeviceCache("front", version, b"c", 5, b"file")
        await store.put_cache(cache)
    assert store.caches() == {"front": cache}


async def test_no_name_and_no_card_is_readable_on_disk(store: SqlStore, tmp_path: Path) -> None:
    await store.add_person("Maya Okafor", ("Members",), ADDED)
    await store.add_card(UID, "Maya Okafor", ADDED)
    await store.append(tap("0102030405060708", granted=True))
    disk = everything(tmp_path)
    assert len(disk) > 4096
    for secret in (UID, UID.hex().encode(), b"Maya", b"Members", b"0102030405060708", b"person"):
        assert secret not in disk
        assert secret.upper() not in disk


async def test_a_board_its_door_and_the_row_are_one_change(store: SqlStore) -> None:
    board = Registration("side", "door-esp32", "waiting", 5, "ab12", b"digest")
    await store.put_device(board, AuditRow(5, "device.adopted", "operator", device="side"))
    assert store.registrations() == (board,)
    door = Door("side", "Side door", "side")
    approved = board.approved(9)
    row = AuditRow(9, "device.approved", "operator", device="side", note="\ud800")
    with pytest.raises(UnicodeEncodeError):
        await store.put_device(approved, row, door)
    assert store.registrations() == (board,), "the row could not be written, so nothing was"
    assert [one.id for one in store.load().doors] == ["front"]
    await store.put_device(approved, replace(row, note=None), door)
    assert store.registrations() == (approved,)
    assert door in store.load().doors
    await store.put_device(approved, replace(row, note=None), replace(door, device="side2"))
    assert [one.device for one in store.load().doors] == ["front", "side2"]


def test_the_migrations_make_the_tables_that_the_code_knows(tmp_path: Path) -> None:
    SqlStore(tmp_path / "gateway.db", KEY)._engine.dispose()
    engine = open_database(tmp_path / "gateway.db", KEY)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()
    assert differences == []


async def test_what_a_board_has_told_since_comes_in_its_order(store: SqlStore) -> None:
    digest, told = seal.CHAIN_START, []
    for seq in range(1, 13):
        one = replace(entry(seq, digest, body=b'{"n":%d}' % seq), received_ms=seq // 2)
        digest = one.digest
        store.store_event(one, [], lambda *_: None)
        told.append(one.body)
    await store.append(ADDED)
    assert await store.told_since("front", 0) == tuple(told)
    assert await store.told_since("front", 3) == tuple(told[5:])
    assert await store.told_since("back", 0) == ()
