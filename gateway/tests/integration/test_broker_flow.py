"""MQTT 3.1.1 over real sockets: slow readers, bursts and floods, and the order of what is acknowledged."""

import asyncio
from typing import cast

import pytest
from broker_support import GATEWAY, Client, running_broker, topic

from doorward.broker import Limits
from doorward.broker.connections.connection import Connection
from doorward.broker.keeping.answers import Answers
from doorward_core import mqtt, topics

EVENTS = topic("front", topics.EVENTS)
CONTROL = topic("front", topics.CONTROL)
REPORTED = topic("front", topics.REPORTED)


@pytest.mark.parametrize("unread", [50_000, 300_000])
async def test_a_slow_reader_is_dropped_or_queued_and_others_go_on(tmp_path, unread):
    limits = Limits(unread=unread, queued=50, inflight=8)
    async with running_broker(tmp_path, limits=limits) as site:
        slow = await Client.open(site.port)
        await slow.connect("front")
        await slow.subscribe(CONTROL)
        cast(asyncio.Transport, slow._writer.transport).pause_reading()
        async with site.client(GATEWAY) as gateway:
            for number in range(150):
                await gateway.publish(CONTROL, bytes(100_000), number % 2)
            assert not await gateway.is_closed()
        for connection in site.connections:
            assert connection._transport.get_write_buffer_size() <= unread + 100_100
        assert site.broker.status().unsettled <= limits.queued + limits.inflight
        assert site.broker.connected()["front"] == (unread > 100_000)
        if unread > 100_000:
            assert site.broker.status().dropped > 0
        await slow.drop()


async def test_one_burst_of_subscriptions_does_not_pile_up_retained_messages(tmp_path, monkeypatch):
    sizes = []
    written = Connection.write

    def write(connection):
        sizes.append(connection._out_size)
        written(connection)

    monkeypatch.setattr(Connection, "write", write)
    limits = Limits(unread=300_000, queued=10)
    async with running_broker(tmp_path, limits=limits) as site:
        for qos, leaf in enumerate((topics.REPORTED, topics.ONLINE)):
            async with site.client("front") as front:
                await front.publish(topic("front", leaf), bytes(50_000), qos, retain=True)
        async with site.client(GATEWAY) as gateway:
            burst = [mqtt.subscribe(n, [("doorward/devices/+/status/#", 1)]) for n in range(1, 500)]
            gateway.write(b"".join(burst))
            for number in range(1, 500):
                assert mqtt.parse_suback(await gateway.expect(mqtt.SUBACK))[0] == number
            assert site.broker.status().unsettled <= limits.inflight + limits.queued + 1
        assert max(sizes) < limits.unread


async def test_every_retained_message_arrives_however_many_there_are(tmp_path):
    limits = Limits(queued=20, inflight=4)
    async with running_broker(tmp_path, limits=limits) as site, site.client(GATEWAY) as gateway:
        where = [f"doorward/system/health/{number}" for number in range(100)]
        for one in where:
            await gateway.publish(one, b"x", retain=True)
        await gateway.subscribe("doorward/system/#")
        assert sorted(one.topic for one in await gateway.messages()) == sorted(where)


async def test_a_large_queue_reaches_a_client_that_reads(tmp_path):
    """More is waiting than may stand unread: it is paced, and the client is not dropped for it."""
    limits = Limits(unread=300_000)
    async with running_broker(tmp_path, limits=limits) as site, site.client(GATEWAY) as gateway:
        async with site.client("front", clean=False) as front:
            await front.subscribe(CONTROL)
        for number in range(30):
            await gateway.publish(CONTROL, bytes([number]) * 100_000)
        for _ in range(2):  # the second time all of it comes again, as nothing was acknowledged
            async with site.client("front", clean=False) as front:
                got = [await front.message(ack=False) for _ in range(30)]
                assert [one.payload[0] for one in got] == list(range(30))


async def test_a_flood_is_read_no_faster_than_the_disk_takes_it(tmp_path, monkeypatch):
    ahead = []
    add = Answers.add

    def watched(answers, packet):
        add(answers, packet)
        ahead.append(answers.count)

    monkeypatch.setattr(Answers, "add", watched)
    many = range(1, 401)
    async with running_broker(tmp_path, limits=Limits(uncommitted=8)) as site:
        async with site.client(GATEWAY, clean=False) as gateway:
            await gateway.subscribe("doorward/#")
        async with site.client("front") as front:
            body = bytes(10_000)
            burst = [mqtt.publish(EVENTS, b"%d " % n + body, 1, False, False, n) for n in many]
            front.write(b"".join(burst))
            acked = [mqtt.parse_ack(await front.expect(mqtt.PUBACK)) for _ in many]
            assert acked == list(many), "in the order of the publishes"
        # What one read brings (asyncio: 256 KiB) is taken as a whole.
        assert max(ahead) <= 8 + 262_144 // len(burst[0]) + 1
        async with site.client(GATEWAY, clean=False) as gateway:
            got = [await gateway.message() for _ in many]
            assert [int(one.payload.split()[0]) for one in got] == list(many)


async def test_acknowledgements_keep_the_order_of_the_publishes(tmp_path):
    """What need not reach the disk does not overtake what must (4.6)."""
    call = topic("front", topics.ACCESS_REQUEST)
    async with running_broker(tmp_path) as site:
        async with site.client(GATEWAY, clean=False) as gateway:
            await gateway.subscribe("doorward/#")
        async with site.client("front") as front:
            pairs = [(EVENTS, 1), (call, 2), (EVENTS, 3), (call, 4)]
            front.write(b"".join(mqtt.publish(at, b"x", 1, False, False, n) for at, n in pairs))
            acked = [mqtt.parse_ack(await front.expect(mqtt.PUBACK)) for _ in pairs]
            assert acked == [1, 2, 3, 4]
