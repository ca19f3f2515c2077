"""What a session is promised: order, what waits for whom is away, and how much of it."""

import pytest
from broker_support import GATEWAY, Client, running_broker, topic

from doorward.broker import Limits
from doorward_core import mqtt, topics

EVENTS = topic("front", topics.EVENTS)
CONTROL = topic("front", topics.CONTROL)


async def present(site, *, clean):
    """Whether a CONNECT of front finds a session."""
    client = await Client.open(site.port)
    found = await client.connect("front", clean=clean)
    await client.disconnect()
    await site.gone("front")
    return found


async def test_session_present_says_what_was_there(tmp_path):
    """[MQTT-3.1.2-6], [MQTT-3.2.2-1] to [MQTT-3.2.2-3]."""
    async with running_broker(tmp_path) as site:
        course = [(True, False), (False, False), (False, True), (True, False), (False, False)]
        for clean, found in course:
            assert await present(site, clean=clean) is found
    async with running_broker(tmp_path) as site:
        assert await present(site, clean=False)


@pytest.mark.parametrize("clean", [True, False])
async def test_messages_keep_their_order_through_a_narrow_window(tmp_path, clean):
    """[MQTT-4.6.0-6], and more: over both QoS."""
    many = 300
    async with (
        running_broker(tmp_path, limits=Limits(inflight=3)) as site,
        site.client(GATEWAY) as gateway,
        site.client("front", clean=clean) as front,
    ):
        await front.subscribe(CONTROL, qos=2)
        for number in range(many):
            qos = 1 + number % 3 % 2
            gateway.write(mqtt.publish(CONTROL, b"%d" % number, qos, False, False, number + 1))
        got = [await front.message() for _ in range(many)]
        assert [int(one.payload) for one in got] == list(range(many))
        assert not any(one.dup for one in got)


async def test_order_is_kept_over_connections(tmp_path):
    many = 60
    async with (
        running_broker(tmp_path, limits=Limits(inflight=10)) as site,
        site.client(GATEWAY) as gateway,
    ):
        async with site.client("front", clean=False) as front:
            await front.subscribe(CONTROL, qos=2)
        for number in range(many):
            await gateway.publish(CONTROL, b"%d" % number, 1 + number % 2)
        got = []
        while len(got) < many:
            async with site.client("front", clean=False) as front:
                seen = [await front.message(ack=False) for _ in range(min(10, many - len(got)))]
                assert [int(one.payload) for one in seen] == list(
                    range(len(got), len(got) + len(seen))
                )
                for one in seen[:7]:
                    kind = mqtt.PUBACK if one.qos == 1 else mqtt.PUBREC
                    front.write(mqtt.ack(kind, one.packet_id))
                    if one.qos == 2:
                        assert mqtt.parse_ack(await front.expect(mqtt.PUBREL)) == one.packet_id
                        front.write(mqtt.ack(mqtt.PUBCOMP, one.packet_id))
                    got.append(one)
                assert not await front.is_closed()


async def test_the_queue_of_who_is_away_is_bounded_and_what_came_first_stays(tmp_path):
    limits = Limits(queued=5, queued_bytes=1000)
    async with (
        running_broker(tmp_path, limits=limits) as site,
        site.client(GATEWAY, clean=False) as gateway,
    ):
        async with site.client("front", clean=False) as front:
            await front.subscribe(CONTROL, qos=2)
        for number in range(9):
            await gateway.publish(CONTROL, b"%d" % number, number % 3)
        assert site.broker.status().dropped == 1
        async with site.client("front", clean=False) as front:
            got = [(await front.message()).payload for _ in range(5)]
            assert got == [b"1", b"2", b"4", b"5", b"7"], "no QoS 0, and not the sixth"
            assert await front.messages() == []
        for size in (600, 600, 300):
            await gateway.publish(CONTROL, bytes(size))
        async with site.client("front", clean=False) as front:
            assert [len(one.payload) for one in await front.messages()] == [600, 300]


async def test_one_suback_says_what_became_of_each_filter(tmp_path):
    """[MQTT-3.8.4-4], [MQTT-3.8.4-5]."""
    async with running_broker(tmp_path) as site, site.client("front") as front:
        wanted = [(CONTROL, 2), ("doorward/#", 1), (topic("front", topics.CONFIG), 0), (CONTROL, 1)]
        front.write(mqtt.subscribe(500, wanted))
        assert mqtt.parse_suback(await front.expect(mqtt.SUBACK)) == (500, b"\2\x80\0\1")
        async with site.client(GATEWAY) as gateway:
            await gateway.publish(CONTROL, b"do", 2)
        assert [one.qos for one in await front.messages()] == [1], "the last one counts"


async def test_packets_may_come_in_any_pieces(tmp_path):
    async with running_broker(tmp_path) as site, site.client(GATEWAY) as gateway:
        await gateway.subscribe(EVENTS)
        async with site.client("front") as front:
            packets = [mqtt.publish(EVENTS, b"%d" % n * 100, 1, False, False, n) for n in (1, 2, 3)]
            for byte in b"".join(packets):
                front.write(bytes([byte]))
            for number in (1, 2, 3):
                assert mqtt.parse_ack(await front.expect(mqtt.PUBACK)) == number
        assert [one.payload for one in await gateway.messages()] == [
            b"1" * 100,
            b"2" * 100,
            b"3" * 100,
        ]
