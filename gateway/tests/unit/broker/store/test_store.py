"""What a batch says is what comes back, however often it is written."""

import asyncio
import contextlib
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from doorward.broker import store as broker_store
from doorward.broker.ports import (
    Batch,
    Entry,
    Kept,
    KeptMessage,
    KeptRetained,
    KeptSession,
    LogQuery,
)
from doorward.broker.reports.log import CHANGED, DENIED, PUBLISH, REFUSED
from doorward.broker.rights.shipped import SHIPPED
from doorward.broker.store import BrokerStore, repository
from doorward.broker.store import tables as broker_tables
from doorward.broker.store.rows import Rows
from doorward.database import for_writing, migrating, open_database
from doorward.errors import WrongKey
from doorward.sqlite import connect

KEY = bytes(32)
FIRST = KeptMessage(7, "front", "a/b", b"\0\xff", retain=True, packet_id=None)
SECOND = KeptMessage(8, "front", "a/c", b"", retain=False, packet_id=3, qos=2, released=True)
RULES = {rule.key: (rule.publish, rule.subscribe) for rule in SHIPPED}
EMPTY = Kept({}, {}, [], [], {}, rules=RULES)
LINE = Entry(9, 1_700_000_000_000, "PUBLISH", "sam", "pad", "a/b", 1, 3)


async def written(store, *batches):
    store.start()
    for batch in batches:
        answer = asyncio.get_running_loop().create_future()
        store.write(batch, answer.set_result)
        assert await answer is None
    kept = store.load()
    await store.close()
    return kept


def everything():
    return Batch(
        sessions={"front": "front", "panel-2": "sam"},
        subscriptions={("front", "a/#"): 1, ("panel-2", "b"): 0},
        messages={8: SECOND, 7: FIRST},
        retained={"a/b": KeptRetained(b"state", 1, "sam")},
        received={("front", 65_535): True},
        principals={"front": ("device", bytes(range(32)))},
        users={"sam": ("Student User", "$argon2id$")},
        rules={("user:sam", "deny", "a/#"): (True, False)},
        log=[LINE],
    )


@pytest.mark.parametrize("times", [1, 2])
async def test_everything_comes_back_in_order(tmp_path, times):
    store = BrokerStore.open(tmp_path / "broker.db", KEY)
    await written(store, *[everything()] * times)
    assert BrokerStore.open(tmp_path / "broker.db", KEY).load() == Kept(
        principals={"front": ("device", bytes(range(32)))},
        sessions={
            "front": KeptSession("front", {"a/#": 1}),
            "panel-2": KeptSession("sam", {"b": 0}),
        },
        messages=[FIRST, SECOND],
        received=[("front", 65_535)],
        retained={"a/b": KeptRetained(b"state", 1, "sam")},
        users={"sam": ("Student User", "$argon2id$")},
        rules=RULES | {("user:sam", "deny", "a/#"): (True, False)},
        log=[LINE],
    )


@pytest.mark.parametrize("times", [1, 2])
async def test_changes_and_ends(tmp_path, times):
    change = Batch(
        ended={"panel-2"},
        subscriptions={("front", "a/#"): 0, ("front", "new"): 1},
        sent={7: 12},
        released={7},
        done={8},
        retained={"a/b": KeptRetained(b"newer", 0)},
        received={("front", 65_535): False},
    )
    store = BrokerStore.open(tmp_path / "broker.db", KEY)
    kept = await written(store, everything(), *[change] * times)
    assert kept.sessions == {"front": KeptSession("front", {"a/#": 0, "new": 1})}
    assert kept.messages == [FIRST._replace(packet_id=12, released=True)]
    assert kept.received == []
    assert kept.retained == {"a/b": KeptRetained(b"newer", 0)}


async def test_a_session_ends_with_all_that_is_its_own(tmp_path):
    store = BrokerStore.open(tmp_path / "broker.db", KEY)
    gone = Batch(
        ended={"front", "panel-2"},
        retained={"a/b": None},
        principals={"front": None},
        users={"sam": None},
        rules={("user:sam", "deny", "a/#"): None},
    )
    kept = await written(store, everything(), gone)
    assert replace(kept, log=[]) == EMPTY


async def test_a_session_that_ends_and_begins_in_one_batch_is_new(tmp_path):
    store = BrokerStore.open(tmp_path / "broker.db", KEY)
    kept = await written(store, everything(), Batch(ended={"front"}, sessions={"front": "front"}))
    assert kept.sessions == {
        "front": KeptSession("front", {}),
        "panel-2": KeptSession("sam", {"b": 0}),
    }
    assert kept.messages == []


async def test_a_session_that_begins_again_keeps_what_is_its_own(tmp_path):
    store = BrokerStore.open(tmp_path / "broker.db", KEY)
    kept = await written(store, everything(), Batch(sessions={"front": "front"}))
    assert kept.sessions["front"].subscriptions == {"a/#": 1}
    assert kept.messages == [FIRST, SECOND]


async def test_whoever_says_a_lot_pushes_out_nobodys_refusal(tmp_path, monkeypatch):
    monkeypatch.setattr(repository, "_LOG_KEPT", 100)
    monkeypatch.setattr(repository, "_LOG_KEPT_OF", {DENIED: 5, REFUSED: 5, CHANGED: 5})

    def line(number, action):
        return Entry(number, 0, action, "sam")

    rare = [line(number, (DENIED, REFUSED, CHANGED)[number % 3]) for number in range(1, 31)]
    noise = [line(31 + number, action) for number in range(500) for action in (PUBLISH,)]
    late = [line(1000 + number, CHANGED) for number in range(3)]
    store = BrokerStore.open(tmp_path / "broker.db", KEY)
    await written(store, Batch(log=rare), Batch(log=noise), Batch(log=late))
    store = BrokerStore.open(tmp_path / "broker.db", KEY)
    kept = store.read_log(LogQuery(10_000))
    assert Counter(one.action for one in kept) == {DENIED: 5, REFUSED: 5, CHANGED: 5}
    assert [one.number for one in kept if one.action == CHANGED][:3] == [1002, 1001, 1000]


async def test_a_closed_store_says_so_instead_of_keeping_quiet(tmp_path):
    store = BrokerStore.open(tmp_path / "broker.db", KEY)
    await written(store)
    answers = []
    store.write(everything(), answers.append)
    assert isinstance(answers[0], Exception)


async def test_a_wrong_key_does_not_open_it(tmp_path):
    await written(BrokerStore.open(tmp_path / "broker.db", KEY), everything())
    with pytest.raises(WrongKey):
        BrokerStore.open(tmp_path / "broker.db", bytes(31) + b"x")


def test_a_file_that_is_up_to_date_does_without_sqlalchemy(tmp_path):
    script = f"""
import sys
from pathlib import Path
from doorward.broker.store import BrokerStore
BrokerStore.open(Path({str(tmp_path / "broker.db")!r}), bytes(32)).load()
print("sqlalchemy" in sys.modules)
"""
    told = [
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    assert [one.stdout for one in told] == ["True\n", "False\n"]


def test_the_tables_are_those_that_the_migrations_make(tmp_path):
    BrokerStore.open(tmp_path / "broker.db", KEY)
    tables = [one for one in vars(broker_tables).values() if isinstance(one, Rows)]
    with contextlib.closing(connect(tmp_path / "broker.db", KEY)) as driver:
        for table in tables:
            columns = driver.execute(f"PRAGMA table_info({table.table})").fetchall()
            assert {name for _, name, *_ in columns} == set(table.columns)
        made = driver.execute("SELECT count(*) FROM sqlite_schema WHERE type = 'table'").fetchone()
    assert made == (len(tables) + 1,), "and the one that tells how far the file has come"


async def test_what_the_first_version_kept_is_still_there(tmp_path):
    """Sessions had no owner then, and messages went out at QoS 1."""
    path = tmp_path / "broker.db"
    engine = open_database(path, KEY)
    first = Path(broker_store.__file__).parent / "migrations/versions/0001_first_tables.py"
    package = tmp_path / "old_store/migrations/versions"
    package.mkdir(parents=True)
    shutil.copy(first, package)
    migrating.run(engine, package.parent)
    with for_writing(engine).begin() as connection:
        connection.exec_driver_sql("INSERT INTO session VALUES ('front')")
        connection.exec_driver_sql("INSERT INTO subscription VALUES ('front', 'a/#', 1)")
        connection.exec_driver_sql("INSERT INTO message VALUES (7, 'front', 'a/b', x'00ff', 1, 3)")
    engine.dispose()
    kept = BrokerStore.open(path, KEY).load()
    assert kept.sessions == {"front": KeptSession("front", {"a/#": 1})}
    assert kept.messages == [FIRST._replace(packet_id=3)]


async def test_a_file_of_before_anybody_was_remembered_by_place_takes_whom_it_is_given(tmp_path):
    path = tmp_path / "broker.db"
    package = tmp_path / "old_store/migrations/versions"
    shutil.copytree(Path(broker_store.__file__).parent / "migrations/versions", package)
    (package / "0005_welcome.py").unlink()
    engine = open_database(path, KEY)
    migrating.run(engine, package.parent)
    with for_writing(engine).begin() as connection:
        connection.exec_driver_sql("INSERT INTO user VALUES ('sam', 'User', 'hash')")
    engine.dispose()
    store = BrokerStore.open(path, KEY)
    assert store.load().users == {"sam": ("User", "hash")}
    assert store.load().welcome == []
    store.start()
    first, last = ("sam", "192.0.2.9"), ("sam", "192.0.2.1")
    for changes in (
        {last: True, first: True, ("eve", "192.0.2.1"): True},
        {("eve", "192.0.2.1"): False, last: True},
    ):
        done = asyncio.get_running_loop().create_future()
        store.write(Batch(welcome=changes), done.set_result)
        assert await done is None
    await store.close()
    assert BrokerStore.open(path, KEY).load().welcome == [first, last], (
        "in the order in which they came last"
    )


async def test_the_log_is_pruned_and_read_by_what_it_is_about(tmp_path):
    store = BrokerStore.open(tmp_path / "broker.db", KEY)
    store.start()
    for first in (1, 30_001):
        done = asyncio.get_running_loop().create_future()
        lines = [LINE._replace(number=number) for number in range(first, first + 30_000)]
        lines[5] = lines[5]._replace(principal="tess", action="DENIED")
        store.write(Batch(log=lines), done.set_result)
        await done
    assert [one.number for one in store.read_log(LogQuery(3))] == [60_000, 59_999, 59_998]
    assert [one.number for one in store.read_log(LogQuery(3, "DENIED", "tess"))] == [30_006, 6]
    assert [one.number for one in store.read_log(LogQuery(9, before=10_003))] == [10_002, 10_001, 6]
    assert [one.number for one in store.read_log(LogQuery(9, after=59_998))] == [60_000, 59_999]
    assert len(store.load().log) == 1000
    await store.close()
