"""MQTT 3.1.1 over real sockets: what a well-behaved client may rely on."""

import asyncio
import socket

import pytest
from broker_support import GATEWAY, Client, running_broker, topic

from doorward.broker import PortInUse
from doorward_core import mqtt, topics

EVENTS = topic("front", topics.EVENTS)
CONTROL = topic("front", topics.CONTROL)
REPORTED = topic("front", topics.REPORTED)


@pytest.mark.parametrize("clean", [True, False])
@pytest.mark.parametrize("granted", [0, 1, 2])
async def test_qos_of_delivery_is_the_lower_of_both(tmp_path, granted, clean):
    async with running_broker(tmp_path) as site, site.client(GATEWAY, clean=clean) as gateway:
        assert await gateway.subscribe("doorward/devices/+/#", qos=granted) == bytes([granted])
        async with site.client("front") as front:
            for qos in (0, 1, 2):
                await front.publish(EVENTS, b"%d" % qos, qos)
        got = [await gateway.message() for _ in range(3)]
        # QoS 0 may overtake what waits for the disk.
        assert sorted((one.payload, one.qos) for one in got) == [
            (b"%d" % qos, min(qos, granted)) for qos in (0, 1, 2)
        ]
        assert await gateway.messages() == []


async def test_subscribing_again_replaces_the_qos(tmp_path):
    """[MQTT-3.8.4-3]."""
    async with running_broker(tmp_path) as site, site.client(GATEWAY) as gateway:
        for granted in (2, 0, 1):
            assert await gateway.subscribe("doorward/#", qos=granted) == bytes([granted])
            async with site.client("front") as front:
                await front.publish(EVENTS, b"x", 2)
            assert [one.qos for one in await gateway.messages()] == [granted]


async def test_a_repeated_qos_2_publish_is_delivered_once_even_over_a_reconnect(tmp_path):
    async with running_broker(tmp_path) as site, site.client(GATEWAY) as gateway:
        await gateway.subscribe("doorward/#")
        async with site.client("front", clean=False) as front:
            front.write(mqtt.publish(EVENTS, b"once", 2, False, False, 9))
            await front.expect(mqtt.PUBREC)
        async with site.client("front", clean=False) as front:
            front.write(mqtt.publish(EVENTS, b"once", 2, False, True, 9))
            await front.expect(mqtt.PUBREC)
            front.write(mqtt.ack(mqtt.PUBREL, 9))
            await front.expect(mqtt.PUBCOMP)
            front.write(mqtt.publish(EVENTS, b"another", 2, False, False, 9))
            await front.expect(mqtt.PUBREC)
        assert [one.payload for one in await gateway.messages()] == [b"once", b"another"]


@pytest.mark.parametrize(("wide", "narrow"), [(0, 1), (1, 0), (2, 0), (1, 2)])
async def test_overlapping_subscriptions_deliver_once_at_the_highest_qos(tmp_path, wide, narrow):
    async with running_broker(tmp_path) as site, site.client(GATEWAY) as gateway:
        await gateway.subscribe("doorward/#", qos=wide)
        await gateway.subscribe("doorward/devices/+/telemetry/+", qos=narrow)
        async with site.client("front") as front:
            await front.publish(EVENTS, b"x", 2)
        got = [(one.payload, one.qos) for one in await gateway.messages()]
        assert got == [(b"x", max(wide, narrow))]


async def test_unsubscribed_filters_deliver_nothing(tmp_path):
    async with running_broker(tmp_path) as site, site.client(GATEWAY) as gateway:
        await gateway.subscribe("doorward/#")
        gateway.write(mqtt.unsubscribe(77, ["doorward/#", "doorward/unknown"]))
        assert mqtt.parse_ack(await gateway.expect(mqtt.UNSUBACK)) == 77
        async with site.client("front") as front:
            await front.publish(EVENTS, b"x")
        assert await gateway.messages() == []


async def test_retained_reaches_new_subscribers_and_an_empty_payload_clears_it(tmp_path):
    async with running_broker(tmp_path) as site, site.client("front") as front:
        async with site.client(GATEWAY) as gateway:
            await gateway.subscribe(REPORTED)
            await front.publish(REPORTED, b"old", retain=True)
            live = await gateway.message()
            assert (live.payload, live.retain) == (b"old", False)
        await front.publish(REPORTED, b"new", retain=True)
        async with site.client(GATEWAY) as gateway:
            await gateway.subscribe("doorward/devices/+/status/#")
            stored = await gateway.message()
            assert (stored.payload, stored.retain, stored.qos) == (b"new", True, 1)
        await front.publish(REPORTED, b"", retain=True)
        async with site.client(GATEWAY) as gateway:
            await gateway.subscribe("doorward/#")
            assert await gateway.messages() == []


@pytest.mark.parametrize("leaf", [topics.CONTROL, topics.CACHE, topics.ACCESS_RESPONSE])
async def test_commands_and_answers_are_never_retained(tmp_path, leaf):
    async with running_broker(tmp_path) as site, site.client(GATEWAY) as gateway:
        await gateway.publish(topic("front", leaf), b"open", retain=True)
        await gateway.publish(topic("front", topics.CONFIG), b"kept", retain=True)
        async with site.client("front") as front:
            await front.subscribe(topic("front", leaf), topic("front", topics.CONFIG))
            assert [one.payload for one in await front.messages()] == [b"kept"]


async def test_offline_queue_is_delivered_in_order_on_return(tmp_path):
    async with running_broker(tmp_path) as site, site.client(GATEWAY) as gateway:
        async with site.client("front", clean=False) as front:
            await front.subscribe(CONTROL)
        for number in range(5):
            await gateway.publish(CONTROL, b"%d" % number)
        await gateway.publish(CONTROL, b"qos 0 is not kept", 0)
        front = await Client.open(site.port)
        assert await front.connect("front", clean=False)
        got = await front.messages()
        assert [(one.payload, one.dup) for one in got] == [(b"%d" % n, False) for n in range(5)]
        await front.drop()


async def test_answers_are_not_kept_for_a_board_that_is_away(tmp_path):
    answer = topic("front", topics.ACCESS_RESPONSE)
    async with running_broker(tmp_path) as site, site.client(GATEWAY) as gateway:
        async with site.client("front", clean=False) as front:
            await front.subscribe(answer, CONTROL)
            await gateway.publish(answer, b"in time")
            assert (await front.message(ack=False)).payload == b"in time"
        await gateway.publish(answer, b"too late")
        await gateway.publish(CONTROL, b"kept")
        async with site.client("front", clean=False) as front:
            assert [one.payload for one in await front.messages()] == [b"kept"]


async def test_clean_session_forgets_what_was_kept(tmp_path):
    async with running_broker(tmp_path) as site, site.client(GATEWAY) as gateway:
        async with site.client("front", clean=False) as front:
            await front.subscribe(CONTROL)
        await gateway.publish(CONTROL, b"x")
        async with site.client("front", clean=True) as front:
            assert await front.messages() == []
        front = await Client.open(site.port)
        assert not await front.connect("front", clean=False)
        assert await front.messages() == []
        await front.drop()


@pytest.mark.parametrize("orderly", [False, True])
async def test_will_follows_an_abnormal_end_only(tmp_path, orderly):
    offline = topic("front", topics.OFFLINE)
    async with running_broker(tmp_path) as site, site.client(GATEWAY) as gateway:
        await gateway.subscribe(offline)
        front = await Client.open(site.port)
        await front.connect("front", will=(offline, b"gone", True, 1))
        await (front.disconnect() if orderly else front.drop())
        await site.gone("front")
        if orderly:
            assert await gateway.messages() == []
        else:
            assert (await gateway.message()).payload == b"gone"
        async with site.client(GATEWAY) as late:
            await late.subscribe(offline)
            assert len(await late.messages()) == (0 if orderly else 1)


async def test_keep_alive_and_silence_on_an_injected_clock(tmp_path):
    offline = topic("front", topics.OFFLINE)
    now = 1000.0
    async with (
        running_broker(tmp_path, clock=lambda: now) as site,
        site.client(GATEWAY) as gateway,
        site.client("back", keepalive=0) as back,
    ):
        await gateway.subscribe(offline)
        silent, dripping = await Client.open(site.port), await Client.open(site.port)
        front = await Client.open(site.port)
        await front.connect("front", keepalive=10, will=(offline, b"gone", False, 1))
        now += 9
        dripping.write(b"\x10")
        await asyncio.sleep(0.02)
        site.broker.sweep()
        now += 0.9
        assert not await front.is_closed(), "within its keep-alive, and heard of now"
        now += 0.2
        site.broker.sweep()
        assert await dripping.is_closed(), "a byte now and then buys no time"
        now += 14.7
        site.broker.sweep()
        assert site.broker.connected()["front"]
        assert await gateway.messages() == []
        assert await silent.is_closed(), "it never said CONNECT"
        now += 0.2
        site.broker.sweep()
        assert (await gateway.message()).payload == b"gone"
        assert await front.is_closed()
        now += 1e6
        site.broker.sweep()
        assert not await back.is_closed(), "keep-alive 0 means none"
        await silent.drop()
        await dripping.drop()
        await front.drop()


async def test_takeover_ends_the_old_connection_and_keeps_the_session(tmp_path):
    offline = topic("front", topics.OFFLINE)
    async with running_broker(tmp_path) as site, site.client(GATEWAY) as gateway:
        await gateway.subscribe(offline)
        old = await Client.open(site.port)
        await old.connect("front", clean=False, will=(offline, b"gone", False, 1))
        await old.subscribe(CONTROL)
        new = await Client.open(site.port)
        assert await new.connect("front", clean=False)
        assert await old.is_closed()
        assert (await gateway.message()).payload == b"gone"
        await gateway.publish(CONTROL, b"x")
        assert (await new.message()).payload == b"x"
        await old.drop()
        await new.drop()


async def test_a_port_in_use_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=rf"{port} on 127\.0\.0\.1"):
            async with running_broker(tmp_path, port=port):
                pass


async def test_no_delay_on_the_sockets(tmp_path):
    async with running_broker(tmp_path) as site, site.client("front"):
        (connection,) = site.connections
        sock = connection._transport.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_stop_acknowledges_what_it_took_and_sends_no_will(tmp_path):
    offline = topic("front", topics.OFFLINE)
    async with running_broker(tmp_path) as site:
        async with site.client(GATEWAY, clean=False) as gateway:
            await gateway.subscribe("doorward/#")
        front = await Client.open(site.port)
        await front.connect("front", will=(offline, b"gone", True, 1))
        front.write(mqtt.publish(EVENTS, b"x", 1, False, False, 1))
        await asyncio.sleep(0.02)
        await site.broker.stop()
        assert mqtt.parse_ack(await front.expect(mqtt.PUBACK)) == 1
        assert await front.is_closed()
        await front.drop()
    async with running_broker(tmp_path) as site, site.client(GATEWAY, clean=False) as gateway:
        assert [one.payload for one in await gateway.messages()] == [b"x"]
