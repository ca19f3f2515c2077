"""CONNACK is a promise about a session: it goes out when the disk knows of it, and not before."""

import asyncio
import contextlib

import pytest
from broker_support import GATEWAY, Client, running_broker, topic
from fakes.held_disk import held

from doorward_core import mqtt, topics

CONTROL = topic("front", topics.CONTROL)
CONFIG = topic("front", topics.CONFIG)
EVENTS = topic("front", topics.EVENTS)
CONNACK = mqtt.CONNACK << 4


@contextlib.asynccontextmanager
async def connecting(site, *, clean, name="front"):
    """A client that has sent its CONNECT; what it hears is for the test to see."""
    client = await Client.open(site.port)
    asking = asyncio.create_task(client.try_connect(name, clean=clean))
    await asyncio.sleep(0)  # it writes
    try:
        yield client, asking
    finally:
        asking.cancel()
        with contextlib.suppress(asyncio.CancelledError, EOFError):
            await asking
        await client.drop()


async def leave_a_session(site, *, topic=CONTROL):
    async with site.client("front", clean=False) as front:
        await front.subscribe(topic)


def said(site):
    return site.broker.counters.sent[CONNACK]


async def test_a_session_is_said_to_be_gone_when_the_disk_has_forgotten_it(tmp_path):
    async with running_broker(tmp_path) as site:
        await leave_a_session(site)
        before = said(site)
        with held(site.broker) as disk:
            async with connecting(site, clean=True) as (_front, asking):
                await disk.holds(lambda batch: "front" in batch.ended)
                assert said(site) == before
                disk.let_go()
                assert await asking == (False, mqtt.ACCEPTED)


async def test_a_session_is_said_to_be_kept_when_it_is(tmp_path):
    async with running_broker(tmp_path) as site:
        before = said(site)
        with held(site.broker) as disk:
            async with connecting(site, clean=False) as (_front, asking):
                await disk.holds(lambda batch: "front" in batch.sessions)
                assert said(site) == before
                disk.let_go()
                assert await asking == (False, mqtt.ACCEPTED)


async def test_who_asks_again_meanwhile_waits_for_the_same_commit(tmp_path):
    async with running_broker(tmp_path) as site:
        await leave_a_session(site)
        before = said(site)
        with held(site.broker) as disk:
            async with connecting(site, clean=True) as (_first, asking):
                await disk.holds(lambda batch: "front" in batch.ended)
                async with connecting(site, clean=True) as (_second, again):
                    with pytest.raises(EOFError):
                        await asking
                    assert said(site) == before
                    disk.let_go()
                    assert await again == (False, mqtt.ACCEPTED)
        assert said(site) == before + 1


async def test_nothing_overtakes_the_answer_and_what_came_early_is_done_after_it(tmp_path):
    async with running_broker(tmp_path) as site, site.client(GATEWAY) as gateway:
        with held(site.broker) as disk:
            async with connecting(site, clean=False) as (front, asking):
                front.write(mqtt.subscribe(7, [(CONFIG, 1)]) + mqtt.pingreq())
                front.write(mqtt.publish(EVENTS, bytes(9000), 1, False, False, 8))
                await disk.holds(lambda batch: "front" in batch.sessions)
                sent = site.broker.counters.sent
                assert not any(sent[kind << 4] for kind in (mqtt.SUBACK, mqtt.PINGRESP))
                disk.let_go()
                assert await asking == (False, mqtt.ACCEPTED)
                for kind in (mqtt.SUBACK, mqtt.PINGRESP, mqtt.PUBACK):
                    await front.expect(kind)
                await gateway.publish(CONFIG, b"2")
                assert [one.payload for one in await front.messages()] == [b"2"]


async def test_who_is_not_told_in_time_leaves_nothing_behind(tmp_path):
    now = 0.0
    async with running_broker(tmp_path, clock=lambda: now) as site:
        await leave_a_session(site)
        with held(site.broker) as disk:
            async with connecting(site, clean=True) as (_front, asking):
                await disk.holds(lambda batch: "front" in batch.ended)
                now = 11.0
                assert await asking == (False, mqtt.UNAVAILABLE)
                await site.gone("front")
        await site.broker.settle()
        assert site.broker.status().sessions == 0
        async with site.client("front", clean=False) as front:
            assert not await front.is_closed()


async def test_a_disk_that_refuses_is_told_to_the_client(tmp_path):
    now = 0.0
    async with running_broker(tmp_path, clock=lambda: now) as site:
        with held(site.broker) as disk:
            async with connecting(site, clean=False) as (_front, asking):
                await disk.holds(lambda batch: "front" in batch.sessions)
                disk.refuse()
                now = 11.0
                assert await asking == (False, mqtt.UNAVAILABLE)
        site.broker.sweep()
        await site.broker.settle()


async def test_who_had_nothing_kept_does_not_wait_for_the_disk(tmp_path):
    async with running_broker(tmp_path) as site, site.client(GATEWAY, clean=False) as gateway:
        await gateway.subscribe(topic("back", topics.EVENTS))
        with held(site.broker) as disk:
            async with site.client("back") as back:
                back.write(mqtt.publish(topic("back", topics.EVENTS), b"1", 1, False, False, 1))
                await disk.holds(lambda batch: batch.messages)
                async with site.client("front") as front:
                    assert not await front.is_closed()
