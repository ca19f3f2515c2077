"""A broker.db that opens well and is not what it was."""

import asyncio
from typing import Any

import pytest
from broker_support import KEY, running_broker

from doorward.broker.store import BrokerStore
from doorward.errors import DatabaseDamaged, Unavailable
from doorward.runtime import checks


async def with_users(folder, *names):
    """Let these in, each with a commit of its own."""
    async with running_broker(folder) as site:
        for name in names:
            site.broker.acl.add_user(name, "$hash", ())
            await site.broker.acl.settle()


def files(folder):
    return [folder / f"broker.db{suffix}" for suffix in ("", "-wal", "-shm")]


@pytest.mark.parametrize("how", ["emptied", "deleted", "another's"])
async def test_a_file_that_is_not_the_one_that_was_is_refused(tmp_path, how):
    await with_users(tmp_path, "ann")
    for path in files(tmp_path):
        path.unlink(missing_ok=True)
    if how == "emptied":
        (tmp_path / "broker.db").touch()
    elif how == "another's":
        await with_users(tmp_path / "elsewhere", "eve")
        (tmp_path / "elsewhere" / "broker.db").rename(tmp_path / "broker.db")
    with pytest.raises(DatabaseDamaged, match=r"broker\.db .*users.*; restore it.* delete .*mark"):
        BrokerStore.open(tmp_path / "broker.db", KEY)
    # Nothing was changed by looking, and the way out is one.
    with pytest.raises(DatabaseDamaged):
        BrokerStore.open(tmp_path / "broker.db", KEY)
    (tmp_path / "broker.db.mark").unlink()
    await with_users(tmp_path, "bob")


async def test_a_log_that_is_damaged_in_the_middle_is_an_alarm(tmp_path):
    """What SQLite makes of it without a word: the commits before the damage."""
    async with running_broker(tmp_path) as site:
        acl = site.broker.acl
        sizes = []
        for name in ("ann", "bob", "cat"):
            acl.add_user(name, "$hash", ())
            await acl.settle()
            sizes.append((tmp_path / "broker.db-wal").stat().st_size)
        kept = {path.name: path.read_bytes() for path in tmp_path.glob("broker.db*")}
    damaged = tmp_path / "damaged"
    damaged.mkdir(mode=0o700)
    for name, content in kept.items():
        (damaged / name).write_bytes(content)
    (damaged / "broker.db-shm").unlink()
    wal = bytearray(kept["broker.db-wal"])
    wal[sizes[0] + 200] ^= 1
    (damaged / "broker.db-wal").write_bytes(wal)
    async with running_broker(damaged) as site:
        assert [one.name for one in site.broker.acl.users()] == ["ann"]
        check = checks.alone(site.broker, "127.0.0.1", tmp_path)[0]()
        assert not check.ok
        assert "lost its last 2 changes of users and rules" in check.detail
        site.broker.acl.add_user("dan", "$hash", ())
        await site.broker.acl.settle()
    async with running_broker(damaged) as site:
        check = checks.alone(site.broker, "127.0.0.1", tmp_path)[0]()
        assert "lost its last 2 changes" in check.detail, "neither a change nor a start ends it"
    (damaged / "broker.db.mark").unlink()
    async with running_broker(damaged) as site:
        assert checks.alone(site.broker, "127.0.0.1", tmp_path)[0]().ok, (
            "who has seen to it says so"
        )
    whole = tmp_path / "whole"
    whole.mkdir(mode=0o700)
    for name, content in kept.items():
        (whole / name).write_bytes(content)
    async with running_broker(whole) as site:
        assert len(site.broker.acl.users()) == 3
        assert checks.alone(site.broker, "127.0.0.1", tmp_path)[0]().ok


async def test_what_was_not_committed_is_not_told(tmp_path):
    async with running_broker(tmp_path) as site:
        store: Any = site.broker._store
        marker = store._marker
        before = (tmp_path / "broker.db.mark").read_bytes()
        marker_end, marker.end = marker.end, fails
        site.broker.acl.add_user("ann", "$hash", ())
        with pytest.raises(Unavailable, match="full"):
            await site.broker.acl.settle()
        assert (tmp_path / "broker.db.mark").read_bytes() == before
        marker.end = marker_end
        await site.broker.acl.settle()
        assert (tmp_path / "broker.db.mark").read_bytes() != before


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        "[1, 2]",
        '{"generation": 1, "changes": "3"}',
        '{"generation": 1, "changes": -1}',
        '{"generation": 1, "changes": 2.5}',
        '{"generation": true, "changes": 1, "lost": null}',
    ],
)
async def test_a_mark_that_was_edited_is_named(tmp_path, content):
    await with_users(tmp_path, "ann")
    (tmp_path / "broker.db.mark").write_text(content)
    with pytest.raises(DatabaseDamaged, match=r"broker\.db\.mark cannot be read .*; delete it"):
        BrokerStore.open(tmp_path / "broker.db", KEY)


def fails(_connection):
    raise OSError("the disk is full")


async def test_a_file_from_before_there_were_marks_is_taken(tmp_path):
    await with_users(tmp_path, "ann")
    (tmp_path / "broker.db.mark").unlink()
    async with running_broker(tmp_path) as site:
        assert len(site.broker.acl.users()) == 1
    await asyncio.to_thread((tmp_path / "broker.db").unlink)
    with pytest.raises(DatabaseDamaged):
        BrokerStore.open(tmp_path / "broker.db", KEY)
