"""Every change of the broker's users and rules has a row in the audit, whatever the disks say."""

import asyncio
import contextlib
from typing import Any

import pytest
from broker_support import PATIENCE, running_broker
from fakes.broker import QuickPasswords

from doorward.domain import audit
from doorward.errors import SigningUnavailable, Unavailable
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


class Held:
    """Certificates of a signer that may be away."""

    away = False

    async def held(self, names):
        if self.away:
            raise SigningUnavailable("the signer is away", "start it")
        return {name: 0x5EF1 for name in names if name == "ann"}

    async def forget(self, name):
        return False


async def test_who_has_a_certificate_is_listed_and_not_known_while_the_signer_is_away(tmp_path):
    async with running_broker(tmp_path) as site:
        held: Any = Held()
        desk = BrokerDesk(
            site.broker, site.broker._store, QuickPasswords(), built_in=(), certificates=held
        )
        for name in ("ann", "bob"):
            await desk.add_user(name, "correct horse", (), actor="root")
        listed = await desk.users_with_certificates()
        assert [(one.name, one.certificate) for one in listed] == [("ann", "5ef1"), ("bob", "")]
        held.away = True
        assert [one.certificate for one in await desk.users_with_certificates()] == [None, None]


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
