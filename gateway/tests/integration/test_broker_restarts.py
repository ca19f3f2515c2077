"""MQTT 3.1.1 over real sockets: what is still there when the broker was started anew."""

from broker_support import GATEWAY, Client, running_broker, topic

from doorward_core import mqtt, topics

EVENTS = topic("front", topics.EVENTS)
CONTROL = topic("front", topics.CONTROL)
REPORTED = topic("front", topics.REPORTED)


async def test_dup_redelivery_survives_a_restart_of_the_broker(tmp_path):
    async with running_broker(tmp_path) as site, site.client(GATEWAY) as gateway:
        async with site.client("front", clean=False) as front:
            await front.subscribe(CONTROL)
            for text in (b"a", b"b", b"c"):
                await gateway.publish(CONTROL, text)
            sent = [await front.message(ack=False) for _ in range(3)]
            front.write(mqtt.ack(mqtt.PUBACK, sent[1].packet_id))
            assert not await front.is_closed()
        await gateway.publish(CONTROL, b"d")
    async with running_broker(tmp_path) as site:
        front = await Client.open(site.port)
        assert await front.connect("front", clean=False)
        got = [(one.payload, one.dup, one.packet_id) for one in await front.messages()]
        assert got[:2] == [
            (b"a", True, sent[0].packet_id),
            (b"c", True, sent[2].packet_id),
        ]
        assert [(payload, dup) for payload, dup, _ in got[2:]] == [(b"d", False)]
        await front.drop()
    async with running_broker(tmp_path) as site, site.client("front", clean=False) as front:
        assert await front.messages() == []


async def test_what_was_sent_from_the_queue_is_sent_again_under_its_id_after_a_restart(tmp_path):
    async with running_broker(tmp_path) as site, site.client(GATEWAY) as gateway:
        async with site.client("front", clean=False) as front:
            await front.subscribe(CONTROL)
        await gateway.publish(CONTROL, b"queued")
        async with site.client("front", clean=False) as front:
            first = await front.message(ack=False)
            assert not first.dup
    async with running_broker(tmp_path) as site, site.client("front", clean=False) as front:
        (again,) = await front.messages()
        assert (again.payload, again.dup, again.packet_id) == (b"queued", True, first.packet_id)


async def test_a_session_that_was_discarded_does_not_come_back_with_a_restart(tmp_path):
    async with running_broker(tmp_path) as site, site.client(GATEWAY) as gateway:
        async with site.client("front", clean=False) as front:
            await front.subscribe(CONTROL)
        await gateway.publish(CONTROL, b"x")
        async with site.client("front", clean=True):
            pass
    async with running_broker(tmp_path) as site:
        front = await Client.open(site.port)
        assert not await front.connect("front", clean=False)
        assert await front.messages() == []
        await front.drop()


async def test_a_cleared_retained_message_does_not_come_back_with_a_restart(tmp_path):
    async with running_broker(tmp_path) as site, site.client("front") as front:
        await front.publish(REPORTED, b"state", retain=True)
        await site.broker.settle()
        await front.publish(REPORTED, b"", retain=True)
    async with running_broker(tmp_path) as site, site.client(GATEWAY) as gateway:
        await gateway.subscribe("doorward/#")
        assert await gateway.messages() == []


async def test_retained_and_subscriptions_survive_a_restart(tmp_path):
    async with running_broker(tmp_path) as site:
        async with site.client(GATEWAY, clean=False) as gateway:
            await gateway.subscribe("doorward/devices/+/telemetry/events")
        async with site.client("front") as front:
            await front.publish(REPORTED, b"state", retain=True)
    async with running_broker(tmp_path) as site:
        async with site.client("front") as front:
            await front.publish(EVENTS, b"event")
        async with site.client(GATEWAY, clean=False) as gateway:
            assert (await gateway.message()).payload == b"event"
            await gateway.subscribe(REPORTED)
            assert (await gateway.message()).payload == b"state"
