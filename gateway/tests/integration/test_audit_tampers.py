"""Ten thousand rows, and whatever can be done to them with SQL: each is found, and the first bad row is named."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench.audit_tampers import ROWS, TAMPERS, Tamper, names, row, unlocked
from sqlalchemy import Connection, Engine
from stage.notary import MemoryNotary

from doorward.adapters.store import SqlStore, chain
from doorward.database import for_writing, open_database
from doorward.domain import audit_walk
from doorward.domain.audit_chain import Head, Link
from doorward.domain.audit_walk import links, walk

KEY = bytes(range(32))
Done = tuple[Tamper, list[Link], list[Head]]


async def fill(path: Path, anchors: MemoryNotary) -> None:
    store = SqlStore(path, KEY, anchors)
    store.start()
    await asyncio.gather(*(store.append(row(number)) for number in range(1, ROWS + 1)))
    await store.close()


def stored(connection: Connection) -> list[Link]:
    return list(links(lambda first: chain.page(connection, first, 2**63 - 1)))


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, list[Head]]]:
    path = tmp_path_factory.mktemp("chain") / "gateway.db"
    anchors = MemoryNotary()
    asyncio.run(fill(path, anchors))
    engine = open_database(path, KEY)
    yield engine, [Head(told.count, told.digest) for told in anchors.told]
    engine.dispose()


@pytest.fixture(scope="module", params=TAMPERS, ids=lambda tamper: tamper.name)
def done(full: tuple[Engine, list[Head]], request: pytest.FixtureRequest) -> Done:
    """All rows after it was done; the database is as before."""
    engine, heads = full
    with for_writing(engine).connect() as connection:
        taken_back = connection.begin()
        unlocked(chain.driver(connection))
        request.param.do(chain.driver(connection))
        rows = stored(connection)
        taken_back.rollback()
    return request.param, rows, heads


def untouched(full: tuple[Engine, list[Head]]) -> None:
    engine, heads = full
    with engine.begin() as connection:
        seen = walk(stored(connection), anchors=heads, head=heads[-1])
    assert (seen.findings, seen.remarks, seen.erased) == ([], [], 0)
    assert seen.end == seen.proven
    assert seen.end.count == ROWS


def test_untouched_they_are_whole(full: tuple[Engine, list[Head]]) -> None:
    untouched(full)


def test_it_is_found_and_the_first_bad_row_is_named(done: Done) -> None:
    tamper, rows, heads = done
    findings = walk(rows, anchors=heads, head=heads[-1]).findings
    assert findings
    assert names(tamper, findings[0]), findings
    assert findings[0].kind in tamper.kinds, findings


def test_what_the_rows_alone_can_tell_and_what_not(done: Done) -> None:
    tamper, rows, _ = done
    assert bool(walk(rows).findings) != tamper.needs_head


def test_without_a_chain_it_would_be_missed(done: Done, monkeypatch: pytest.MonkeyPatch) -> None:
    tamper, rows, heads = done
    if tamper.name in {"edit person", "edit granted", "edit why to ''", "swap neighbours"}:
        monkeypatch.setattr(audit_walk, "continues", lambda *_: True)
        assert walk(rows, anchors=heads[-1:], head=heads[-1]).findings == []


def test_and_the_database_was_as_before_all_the_while(full: tuple[Engine, list[Head]]) -> None:
    untouched(full)
