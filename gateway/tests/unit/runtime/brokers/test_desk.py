"""Every change of the broker's users and rules has a row in the audit, whatever the disks say."""

import asyncio
import contextlib

import pytest
from broker_support import PATIENCE, running_broker
from fakes.broker import QuickPasswords

from doorward.domain import audit
from doorward.errors import Unavailable
from doorward.runtime.brokers import owed_records
from doorward.runtime.brokers.desk import BrokerDesk

FULL = Unavailable("the disk is full", "make room")


class Audit:
    """Takes rows, unless it is full."""

    def __init__(self):
        self.rows = []
        self.full = False
        self.written = asyncio.Event()

    async def record(self, kind, actor, why):
        if self.full:
            raise FULL
        self.rows.append((kind, actor, why))
        self.written.set()

    def users(self):
        return [why.split()[0] for _, _, why in self.rows]


@contextlib.asynccontextmanager
async def administered(folder):
    trail = Audit()
    async with running_broker(folder) as site:
        broker = site.broker
        desk = BrokerDesk(broker, broker._store, QuickPasswords(), built_in=(), record=trail.record)
        yield desk, trail, broker


async def test_a_change_that_broker_db_refuses_is_in_the_audit_all_the_same(tmp_path):
    async with administered(tmp_path) as (desk, trail, broker):
        await desk.add_user("ann", "correct horse", (), actor="root")
        write = broker._store.write
        broker._store.write = lambda _batch, done: done(FULL)
        with pytest.raises(Unavailable):
            await desk.remove_user("ann", actor="root")
        assert trail.rows[-1] == (audit.BROKER_USER, "root", "ann may no longer connect.")
        assert desk.users() == ()
        broker._store.write = write


async def test_rows_that_the_audit_refuses_are_written_later_in_their_order(tmp_path, monkeypatch):
    monkeypatch.setattr(owed_records, "_AGAIN_S", 0.01)
    async with administered(tmp_path) as (desk, trail, _broker):
        trail.full = True
        for name in ("ann", "bob"):
            with pytest.raises(Unavailable):
                await desk.add_user(name, "correct horse", (), actor="root")
        assert trail.rows == []
        trail.full = False
        async with asyncio.timeout(PATIENCE):
            while len(trail.rows) < 2:
                trail.written.clear()
                await trail.written.wait()
        await desk.add_user("cat", "correct horse", (), actor="root")
        assert trail.users() == ["ann", "bob", "cat"]
        assert "UTC" in trail.rows[0][2]


async def test_a_change_after_a_refused_row_brings_that_one_along(tmp_path):
    async with administered(tmp_path) as (desk, trail, _broker):
        trail.full = True
        with pytest.raises(Unavailable):
            await desk.add_user("ann", "correct horse", (), actor="root")
        trail.full = False
        await desk.add_user("bob", "correct horse", (), actor="root")
        assert trail.users() == ["ann", "bob"]
