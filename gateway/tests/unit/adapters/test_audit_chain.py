"""The audit's chain on the real store: what was done to it with SQL is found, and the first bad row is named."""

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bench.audit_tampers import row, unlocked
from sqlalchemy import Connection
from stage.notary import MemoryNotary

from doorward.adapters.store import SqlStore, chain, migrations
from doorward.app.trust import AuditHead
from doorward.database import for_writing, migrating, open_database
from doorward.domain.audit import ERASED, AuditRow
from doorward.domain.audit_chain import ORIGIN, Head, Link, commitment, follow
from doorward.domain.audit_walk import Finding, Walked, links, walk
from doorward.errors import Conflict

KEY = bytes(range(32))


def erase(link: Link) -> Link:
    """The same link without what names a person, as the module's first words tell to do it."""
    assert link.salt is not None
    empty = replace(
        link.row, person_id=None, person=None, card_tail=None, why=None, actor=None, note=None
    )
    return Link(empty, link.digest, None, commitment(link.row, link.salt))


def walked(connection: Connection, anchors: MemoryNotary | None = None) -> Walked:
    heads = [Head(told.count, told.digest) for told in anchors.told] if anchors else []
    rows = links(lambda first: chain.page(connection, first, 2**63 - 1))
    return walk(rows, anchors=heads, head=heads[-1] if heads else None)


def look(path: Path, anchors: MemoryNotary | None = None) -> Walked:
    engine = open_database(path, KEY)
    with engine.begin() as connection:
        seen = walked(connection, anchors)
    engine.dispose()
    return seen


def change(path: Path, *statements: str) -> None:
    engine = open_database(path, KEY)
    with for_writing(engine).begin() as connection:
        unlocked(chain.driver(connection))
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


async def fill(path: Path, anchors: MemoryNotary, *numbers: int) -> None:
    store = SqlStore(path, KEY, anchors)
    store.start()
    await asyncio.gather(*(store.append(row(number)) for number in numbers))
    await store.close()


async def test_the_database_itself_refuses_changes(tmp_path: Path) -> None:
    await fill(tmp_path / "gateway.db", MemoryNotary(), *range(1, 7))
    engine = open_database(tmp_path / "gateway.db", KEY)
    for statement in (
        "DELETE FROM audit WHERE id = 5",
        "UPDATE audit SET person = 'Ana Ruiz' WHERE id = 5",
        "UPDATE audit SET id = -5 WHERE id = 5",
        "UPDATE audit SET erased = zeroblob(32), salt = NULL WHERE id = 5",
    ):
        with engine.connect() as connection, pytest.raises(Exception, match="append-only"):
            connection.exec_driver_sql(statement)
    engine.dispose()


async def test_the_database_lets_names_be_erased_as_the_chain_has_it(tmp_path: Path) -> None:
    path, anchors = tmp_path / "gateway.db", MemoryNotary()
    await fill(path, anchors, 1, 2, 3)
    engine = open_database(path, KEY)
    with for_writing(engine).begin() as connection:
        link = chain.page(connection, 2, 2)[0]
        connection.exec_driver_sql(
            "UPDATE audit SET person_id = NULL, person = NULL, card_tail = NULL, why = NULL, actor = NULL, note = NULL,"
            " salt = NULL, erased = ? WHERE id = 2",
            (erase(link).erased,),
        )
        chain.add(connection, AuditRow(5, ERASED, "operator", request="1-2"))
    engine.dispose()
    assert (look(path, anchors).findings, look(path, anchors).erased) == ([], 1)


def test_one_row_has_one_encoding() -> None:
    rows = [
        AuditRow(1, "a", "b", device="c", request=None),
        AuditRow(1, "a", "b", device=None, request="c"),
        AuditRow(1, "a", "b", device="c", request=""),
        AuditRow(1, "a", "b", device='c","', request=""),
        AuditRow(1, "a", "b", device="c", request="null"),
        AuditRow(1, "a", "b", device="c", rule=1),
        AuditRow(1, "a", "b", device="c", granted=True),
        AuditRow(1, "a", "b", device="c", rule=0, granted=None),
        AuditRow(1, "a", "b", device="c", person="x"),
        AuditRow(1, "a", "b", device="c", card_tail="x"),
        AuditRow(1, "ab", "", device="c"),
    ]
    assert len({follow(ORIGIN, one, bytes(16)).digest for one in rows}) == len(rows)


def test_the_digest_is_what_the_documentation_says() -> None:
    import hashlib
    import json

    link = follow(Head(6, b"p" * 32), row(7), b"s" * 16)
    personal = [7, "Person 7", "0007", "Person may.", None, None]
    public = [1, 7, 1_700_000_007_000, "access.decision", "gateway", "gateway", "front"]
    public += ["0000000000000007", "front", "Front door", True, 1, None]
    compact: dict[str, Any] = {"separators": (",", ":")}
    committed = hashlib.sha256(b"s" * 16 + json.dumps(personal, **compact).encode()).digest()
    told = hashlib.sha256(b"p" * 32 + committed + json.dumps(public, **compact).encode())
    assert link.digest == told.digest()


def test_erased_rows_are_still_whole_when_a_row_says_so() -> None:
    links, head = [], ORIGIN
    for number in range(1, 11):
        links.append(follow(head, row(number), bytes(16)))
        head = Head(number, links[-1].digest)
    links[:5] = [erase(link) for link in links[:5]]
    assert walk(links).findings[0] == Finding(
        "erased", 1, "what names a person is gone, and no row says that it was erased"
    )
    told = follow(head, AuditRow(1, ERASED, "operator", request="1-5"), bytes(16))
    seen = walk([*links, told])
    assert (seen.findings, seen.erased, seen.end.count) == ([], 5, 11)
    text = repr(links[:5])
    assert "Person" not in text
    assert bytes(16).hex() not in text


async def test_it_continues_over_restarts_and_after_what_failed(tmp_path: Path) -> None:
    path, anchors = tmp_path / "gateway.db", MemoryNotary()
    for start in (1, 101):
        store = SqlStore(path, KEY, anchors)
        store.start()
        async with (
            asyncio.TaskGroup() as tasks
        ):  # in one group: some fail, and are taken back alone
            for number in range(start, start + 100):
                tasks.create_task(store.append(row(number)))
                if number % 10 == 0:
                    tasks.create_task(fails(store))
        await fails(store)  # and one alone
        await store.append(row(1))  # a tap that is known
        await store.close()
    seen = look(path, anchors)
    assert (seen.findings, seen.remarks) == ([], [])
    assert seen.proven.count == 200


async def fails(store: SqlStore) -> None:
    name = "Maya Okafor"
    added = AuditRow(7, "person.added", "operator", person=name)
    with pytest.raises((Conflict, Exception), match=r"."):
        await asyncio.gather(
            store.add_card(b"1234", "nobody", added),
            store.append(AuditRow(1, "x", "y", note="\ud800")),
        )


async def test_it_can_be_checked_while_it_grows(tmp_path: Path) -> None:
    path, anchors = tmp_path / "gateway.db", MemoryNotary()
    store = SqlStore(path, KEY, anchors)
    store.start()
    writing = asyncio.gather(*(store.append(row(number)) for number in range(1, 2001)))
    ends = []
    while not writing.done():
        seen = await asyncio.to_thread(look, path)
        assert seen.findings == []
        ends.append(seen.end.count)
        await asyncio.sleep(0)
    await writing
    await store.close()
    assert ends == sorted(ends)


async def test_a_crash_before_the_head_was_handed_out_is_no_alarm(tmp_path: Path) -> None:
    path, anchors = tmp_path / "gateway.db", MemoryNotary()
    await fill(path, anchors, 1, 2, 3)
    behind = MemoryNotary(anchors.told[-1])
    await fill(path, anchors, 4)
    assert look(path, behind).findings == []
    await fill(path, behind, 5)
    seen = look(path, behind)
    assert seen.findings == []
    assert [(row.kind, row.request) for row in seen.remarks] == [("audit.unproven", "4-4")]
    assert seen.proven.count == 6


async def test_rows_that_were_gone_at_a_start_stay_missed(tmp_path: Path) -> None:
    path, anchors = tmp_path / "gateway.db", MemoryNotary()
    await fill(path, anchors, *range(1, 11))
    change(path, "DELETE FROM audit WHERE id > 7")
    await fill(path, anchors, *range(20, 40))
    for _ in range(2):
        (finding,) = look(path, anchors).findings
        assert (finding.kind, finding.row) == ("truncated", 8)
        await fill(path, anchors, 50)
    change(path, "DELETE FROM audit WHERE id >= 8")
    assert look(path, anchors).findings[-1].kind == "truncated"


async def test_what_is_taken_away_while_the_gateway_runs_is_on_record(tmp_path: Path) -> None:
    path, anchors = tmp_path / "gateway.db", MemoryNotary()
    store = SqlStore(path, KEY, anchors)
    store.start()
    for number in range(1, 6):
        await store.append(row(number))
    change(path, "DELETE FROM audit WHERE id = 5")
    await store.append(row(6))
    await store.close()
    (finding,) = look(path, anchors).findings
    assert (finding.kind, finding.row) == ("truncated", 5)


async def test_rows_that_others_chained_on_while_the_gateway_runs_are_on_record(
    tmp_path: Path,
) -> None:
    path, anchors = tmp_path / "gateway.db", MemoryNotary()
    store = SqlStore(path, KEY, anchors)
    store.start()
    await store.append(row(1))
    engine = open_database(path, KEY)
    with for_writing(engine).begin() as connection:
        chain.add(connection, row(2))
    engine.dispose()
    await store.append(row(3))
    await store.close()
    (finding,) = look(path, anchors).findings
    assert finding.row == 2


async def test_anchors_that_are_gone_are_missed(tmp_path: Path) -> None:
    path, gone = tmp_path / "gateway.db", MemoryNotary()
    await fill(path, MemoryNotary(), 1, 2, 3)
    await fill(path, gone, 4)
    (finding,) = look(path, gone).findings
    assert "anchors are gone" in finding.detail


async def test_an_anchor_that_was_changed_is_no_anchor_of_these_rows(tmp_path: Path) -> None:
    path, anchors = tmp_path / "gateway.db", MemoryNotary()
    await fill(path, anchors, 1, 2, 3)
    anchors.told[-1] = AuditHead(3, bytes(32))
    assert look(path, anchors).findings[0].kind == "rewritten"
    anchors.told[-1] = AuditHead(7, bytes(32))
    assert look(path, anchors).findings[0] == Finding(
        "truncated", 4, "rows 4 to 7 are missing at the end"
    )


async def test_a_restored_copy_is_told_from_a_stolen_hour(tmp_path: Path) -> None:
    path, anchors = tmp_path / "gateway.db", MemoryNotary()
    await fill(path, anchors, *range(1, 6))
    copy = path.read_bytes()
    await fill(path, anchors, *range(6, 11))
    for file in tmp_path.iterdir():
        file.unlink()
    path.write_bytes(copy)
    assert look(path, anchors).findings[0].row == 6
    store = SqlStore(path, KEY, anchors)
    store.start(restored="a backup of noon")
    await store.append(row(20))
    await store.close()
    seen = look(path, anchors)
    assert seen.findings == []
    assert [(one.kind, one.request) for one in seen.remarks] == [("audit.restored", "6-10")]
    assert seen.proven.count == 7


async def test_a_signer_that_is_away_stops_nothing_and_is_told_later(tmp_path: Path) -> None:
    path, anchors = tmp_path / "gateway.db", MemoryNotary()
    store = SqlStore(path, KEY, anchors)
    store.start()
    anchors.error = OSError("no room")
    assert (await store.append(row(1))).id == 1
    anchors.error = None
    await store.put_site([], [], [])
    await store.close()
    assert anchors.told[-1].count == 1


async def test_rows_of_an_older_version_are_chained_by_the_upgrade(tmp_path: Path) -> None:
    path, anchors = tmp_path / "gateway.db", MemoryNotary()
    versions = tmp_path / "versions"
    versions.mkdir()
    for script in Path(migrations.__file__).parent.glob("versions/000[12]_*.py"):
        shutil.copy(script, versions)
    older = open_database(path, KEY)
    migrating.run(older, tmp_path)
    with for_writing(older).begin() as connection:
        for number in (2, 3, 7):
            connection.exec_driver_sql(
                "INSERT INTO audit (id, at_ms, kind, source, reporter, granted) "
                "VALUES (?, 5, 'access.decision', 'gateway', 'gateway', 1)",
                (number,),
            )
    older.dispose()
    await fill(path, anchors, 10)
    seen = look(path, anchors)
    assert (seen.findings, seen.end.count) == ([], 5)
    assert seen.proven.count == 5
