"""The broker's own clockwork."""

import asyncio

from broker_support import GATEWAY, running_broker, secret, topic

from doorward.broker import Role, server
from doorward.broker.ports import KeptRetained, LogQuery
from doorward.broker.reports.log import _MOST_UNKEPT, CHANGED
from doorward.errors import Unavailable
from doorward.runtime import checks
from doorward_core import topics


async def test_a_sweep_that_fails_is_not_the_last(tmp_path, monkeypatch):
    monkeypatch.setattr(server, "_SWEEP_S", 0.001)
    swept = asyncio.Event()

    def fail():
        monkeypatch.setattr(site.broker, "sweep", swept.set)
        raise RuntimeError("a bug")

    async with running_broker(tmp_path) as site:
        monkeypatch.setattr(site.broker, "sweep", fail)
        async with asyncio.timeout(5):
            await swept.wait()


async def test_while_the_disk_refuses_the_log_holds_its_newest_lines(tmp_path, monkeypatch):
    monkeypatch.setattr(server, "_SWEEP_S", 3600)  # it is the test that sweeps
    async with running_broker(tmp_path) as site:
        broker = site.broker
        write = broker._store.write
        refused = []

        def refuse(batch, done):
            refused.append(batch)
            asyncio.get_running_loop().call_soon(done, OSError("disk full"))

        broker._store.write = refuse
        site.principals.add("side", secret("side"))
        async with asyncio.timeout(10):
            while not broker.stuck:  # noqa: ASYNC110 - a batch from before may be on its way
                await asyncio.sleep(0.001)
        for number in range(3 * _MOST_UNKEPT):
            broker.log.note_always(CHANGED, "", detail=str(number))
            if number % 100 == 0:
                broker._log_kept = 0.0
                broker.sweep()
                await asyncio.sleep(0)
        held = len(broker._journal._open.log) + sum(len(one.log) for one in refused[:1])
        assert held < 10
        broker._store.write = write
        broker.sweep()
        await broker.settle()
        broker._log_kept = 0.0
        broker.sweep()
        await broker.settle()
        kept = broker._store.read_log(LogQuery(10_000, CHANGED))
        assert len(kept) == _MOST_UNKEPT
        assert kept[0].detail == str(3 * _MOST_UNKEPT - 1)


async def test_who_comes_back_with_fewer_rights_gets_nothing_by_the_old_ones(tmp_path):
    where = topic("front", topics.CONTROL)
    async with running_broker(tmp_path) as site, site.client(GATEWAY) as gateway:
        async with site.client("front", clean=False) as front:
            await front.subscribe(where)
            await gateway.publish(where, b"1")
            assert (await front.message()).payload == b"1"
        await gateway.publish(where, b"2")
        site.principals.add("front", secret("front"), Role.WAITING)
        async with site.client("front", clean=False) as front:
            await gateway.publish(where, b"3")
            assert await front.messages() == []
        site.principals.add("front", secret("front"))
        async with site.client("front", clean=False) as front:
            await gateway.publish(where, b"4")
            assert [one.payload for one in await front.messages()] == [b"4"]


async def test_one_change_that_the_disk_cannot_hold_does_not_hold_up_the_rest(tmp_path, caplog):
    where = topic("front", topics.EVENTS)
    async with running_broker(tmp_path) as site:
        async with site.client(GATEWAY, clean=False) as gateway:
            await gateway.subscribe(where)
        broker = site.broker
        for number, client in enumerate(("nobody", GATEWAY, "no one")):
            broker._journal.subscribe(client, f"a/{number}", 1)
        broker._journal.retain("too/long", KeptRetained(b"", 1 << 70))
        async with site.client("front") as front:
            await front.publish(where, b"1")
        assert not broker.stuck
        assert broker.status().left_out == 3
        told = [one.message for one in caplog.records if "cannot hold" in one.message]
        for part in ("nobody", "no one", "too/long"):
            assert sum(part in line for line in told) == 1
        check = checks.alone(broker, "127.0.0.1", tmp_path)[0]()
        assert not check.ok
        assert "3 changes" in check.detail
        kept = broker._store.load()
        assert kept.sessions[GATEWAY].subscriptions == {where: 1, "a/1": 1}
        assert [one.payload for one in kept.messages] == [b"1"]


async def test_health_says_that_the_disk_refuses(tmp_path):
    async with running_broker(tmp_path) as site:
        broker = site.broker
        write = broker._store.write
        broker._store.write = lambda _batch, done: done(Unavailable("full", "make room"))
        site.principals.add("side", secret("side"))
        check = checks.alone(broker, "127.0.0.1", tmp_path)[0]()
        assert not check.ok
        assert "cannot be written" in check.detail
        broker._store.write = write
        broker.sweep()
        await broker.settle()
        assert checks.alone(broker, "127.0.0.1", tmp_path)[0]().ok
