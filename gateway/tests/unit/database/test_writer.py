"""The writer thread: answers after the commit, groups units, keeps their failures apart."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import IntegrityError

from doorward.database import Writer, open_database
from doorward.errors import Unavailable
from doorward.sqlite import connect

KEY = bytes(range(32))


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = open_database(tmp_path / "test.db", KEY)
    with engine.begin() as connection:
        connection.execute(text("create table item (name text primary key)"))
    return engine


@pytest.fixture
async def writer(engine: Engine) -> AsyncIterator[Writer]:
    writer = Writer(engine)
    writer.start()
    yield writer
    await writer.close()
    engine.dispose()


def insert(connection: Connection, name: str) -> str:
    connection.execute(text("insert into item values (:name)"), {"name": name})
    return name


def driver(connection: Connection) -> Any:
    return connection.connection.driver_connection


def names(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.scalars(text("select name from item")))


async def test_it_answers_with_the_result_after_the_commit(engine: Engine, writer: Writer) -> None:
    assert await writer.run(lambda connection: insert(connection, "a")) == "a"
    assert names(engine) == {"a"}


async def test_one_failing_unit_does_not_take_its_neighbours_along(
    engine: Engine, writer: Writer
) -> None:
    held = threading.Event()
    first = asyncio.ensure_future(
        writer.run(lambda _: held.wait(5))
    )  # while it holds the thread, a group gathers
    await asyncio.sleep(0)
    rest = [
        asyncio.ensure_future(writer.run(lambda c, n=n: insert(c, n))) for n in ("a", "b", "a", "c")
    ]
    await asyncio.sleep(0)
    held.set()
    assert await first is True
    results = await asyncio.gather(*rest, return_exceptions=True)
    assert [type(result) for result in results] == [str, str, IntegrityError, str]
    assert names(engine) == {"a", "b", "c"}


async def test_waiting_units_share_one_commit_and_keep_their_order(
    engine: Engine, writer: Writer
) -> None:
    commits: list[Connection] = []
    event.listen(engine, "commit", commits.append)
    taken, held = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()
    answered: list[str | None] = []

    def hold(_: Connection) -> str:
        loop.call_soon_threadsafe(taken.set)
        return str(held.wait(5))

    writer.submit(hold, lambda result, _: answered.append(result))
    await taken.wait()
    for number in range(50):
        writer.submit(
            lambda c, n=number: insert(c, f"{n:02}"), lambda result, _: answered.append(result)
        )
    held.set()
    await writer.run(lambda _: None)
    assert answered == ["True", *(f"{number:02}" for number in range(50))]
    assert 1 <= len(commits) <= 3


async def test_when_the_commit_fails_everybody_hears_of_it_and_the_thread_lives(
    engine: Engine, writer: Writer
) -> None:
    def refuse(_: Connection) -> None:
        raise OSError("disk full")

    event.listen(engine, "commit", refuse)
    with pytest.raises(Unavailable, match="disk full"):
        await writer.run(lambda connection: insert(connection, "a"))
    event.remove(engine, "commit", refuse)
    await writer.run(lambda connection: insert(connection, "b"))
    assert names(engine) == {"b"}


def owe(connection: Connection) -> None:
    """What only the commit finds out: a row without the one that it belongs to."""
    driver(connection).execute("insert into part values ('nothing')")


async def test_a_commit_that_the_driver_refuses_is_undone_as_well(
    engine: Engine, writer: Writer
) -> None:
    with engine.begin() as connection:
        belongs = "references item deferrable initially deferred"
        connection.execute(text(f"create table part (item text {belongs})"))
    for _ in range(2):
        with pytest.raises(Unavailable, match="FOREIGN KEY"):
            await writer.run(owe)
    await writer.run(lambda connection: insert(connection, "a"))
    with engine.connect() as connection:
        assert connection.scalar(text("select count(*) from part")) == 0
    assert names(engine) == {"a"}


@pytest.mark.parametrize("by_sqlalchemy", [False, True])
async def test_a_unit_alone_that_raises_leaves_nothing(
    engine: Engine, writer: Writer, by_sqlalchemy: bool
) -> None:
    def half(connection: Connection) -> None:
        if by_sqlalchemy:
            insert(connection, "half")
        else:
            driver(connection).execute("insert into item values ('half')")
        raise LookupError("not there")

    with pytest.raises(LookupError, match="not there"):
        await writer.run(half)
    await writer.run(lambda c: driver(c).execute("insert into item values ('whole')"))
    assert names(engine) == {"whole"}


async def test_nobody_changes_what_a_unit_reads_before_it_writes(
    tmp_path: Path, writer: Writer
) -> None:
    def disturbed(_: Connection) -> str:
        other = connect(tmp_path / "test.db", KEY)
        other.execute("pragma busy_timeout = 0")
        try:
            other.execute("insert into item values ('other')")
        except other.OperationalError as error:
            return str(error)
        finally:
            other.close()
        return "written"

    assert await writer.run(disturbed) == "database is locked"


async def test_a_disk_that_is_full_in_the_midst_of_a_unit_is_no_fault_of_the_unit(
    engine: Engine, writer: Writer
) -> None:
    def fill(connection: Connection) -> None:
        connection.execute(text("pragma max_page_count = 3"))
        connection.execute(text("insert into item values (hex(zeroblob(100000)))"))

    for _ in range(2):
        with pytest.raises(Unavailable, match="full") as told:
            await writer.run(fill)
        assert told.value.problem == "the store failed (database or disk is full)"
    held = threading.Event()
    waiting = [asyncio.ensure_future(writer.run(lambda _: held.wait(5)))]
    await asyncio.sleep(0)
    works: tuple[Callable[[Connection], Any], ...] = (lambda c: insert(c, "a"), fill)
    waiting += [asyncio.ensure_future(writer.run(work)) for work in works]
    await asyncio.sleep(0)
    held.set()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert Unavailable in [type(result) for result in results]
    stored = [result == "a" for result in results].count(True)
    assert len(names(engine)) == stored


async def test_closing_finishes_what_is_queued_and_refuses_more(engine: Engine) -> None:
    writer = Writer(engine)
    writer.start()
    units = [asyncio.ensure_future(writer.run(lambda c, n=n: insert(c, n))) for n in ("a", "b")]
    await asyncio.sleep(0)
    await writer.close()
    assert await asyncio.gather(*units) == ["a", "b"]
    with pytest.raises(Unavailable):
        await writer.run(lambda connection: insert(connection, "late"))
    await writer.close()
    engine.dispose()


async def test_a_listener_that_raises_does_not_silence_the_next(
    engine: Engine, writer: Writer
) -> None:
    seen: list[str] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: seen.append(str(context["exception"]))
    )

    def broken(_result: object, _error: Exception | None) -> None:
        raise RuntimeError("listener")

    writer.submit(lambda connection: insert(connection, "a"), broken)
    assert await writer.run(lambda connection: insert(connection, "b")) == "b"
    assert seen == ["listener"]
