"""The broker's own clockwork."""

import asyncio

from broker_support import running_broker

from doorward.broker import server


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
