"""Clients that make mistakes, and those that are too many: their connection ends, and nobody else's."""

import random

import pytest
from broker_support import GATEWAY, Client, running_broker, secret, topic

from doorward.broker import Limits
from doorward_core import mqtt, mqtt_server, topics

EVENTS = topic("front", topics.EVENTS)
CONTROL = topic("front", topics.CONTROL)


MISTAKES = {
    "publish before connect": mqtt.publish(EVENTS, b"x"),
    "garbage": b"GET / HTTP/1.1\r\n\r\n",
    "length of five bytes": b"\x10\xff\xff\xff\xff\x01",
    "a first packet that is too large": b"\x10\xff\xff\x03" + bytes(5000),
    "256 MB": b"\x10\xff\xff\xff\x7f",
}
LATER_MISTAKES = {
    "second connect": mqtt.connect("front", 0, True, "front", secret("front")),
    "wildcard in a topic": mqtt.frame(0x30, mqtt.string("a/#") + b"x"),
    "qos 3": mqtt.frame(0x36, mqtt.string("a") + b"\0\1x"),
    "packet id 0": mqtt.frame(0x32, mqtt.string("a") + b"\0\0x"),
    "no utf-8": mqtt.frame(0x30, b"\0\2\xff\xfex"),
    "malformed filter": mqtt.subscribe(1, [("a/#/b", 0)]),
    "no filter": mqtt.frame(0x82, b"\0\1"),
    "server's packet": mqtt_server.connack(False, 0),
    "reserved type": b"\xf0\x00",
    "reserved flags": b"\xc1\x00",
    "too large": b"\x30\xff\xff\x7f" + bytes(8),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
async def test_a_mistake_before_connect_closes_that_connection_only(tmp_path, mistake, caplog):
    caplog.set_level("INFO", "doorward.broker")
    async with running_broker(tmp_path) as site, site.client("back") as bystander:
        client = await Client.open(site.port)
        client.write(mistake)
        assert await client.is_closed()
        assert "closed, " in caplog.text
        assert not await bystander.is_closed()
        await client.drop()


@pytest.mark.parametrize("mistake", LATER_MISTAKES.values(), ids=LATER_MISTAKES.keys())
async def test_a_later_mistake_closes_that_connection_and_sets_off_its_will(tmp_path, mistake):
    offline = topic("front", topics.OFFLINE)
    async with running_broker(tmp_path) as site, site.client(GATEWAY) as gateway:
        await gateway.subscribe(offline)
        async with site.client("front", will=(offline, b"gone", False, 1)) as front:
            assert not await front.is_closed()
            front.write(mistake)
            assert await front.is_closed()
            assert (await gateway.message()).payload == b"gone"
        assert not await gateway.is_closed()


async def test_other_protocol_versions_are_refused_by_their_number(tmp_path):
    async with running_broker(tmp_path) as site:
        for level in (3, 5):
            client = await Client.open(site.port)
            body = mqtt.string("MQTT") + bytes((level, 2, 0, 0)) + mqtt.string("front")
            client.write(mqtt.frame(0x10, body))
            answer = mqtt.parse_connack(await client.expect(mqtt.CONNACK))
            assert answer == (False, mqtt.BAD_PROTOCOL)
            assert await client.is_closed()
            await client.drop()


async def test_one_connection_too_many_is_turned_away(tmp_path):
    async with (
        running_broker(tmp_path, limits=Limits(connections=2)) as site,
        site.client("front"),
        site.client("back") as back,
    ):
        third = await Client.open(site.port)
        with pytest.raises((EOFError, ConnectionError)):
            await third.try_connect(GATEWAY)
        await third.drop()
        assert not await back.is_closed()


async def test_subscriptions_of_one_client_are_bounded(tmp_path):
    async with (
        running_broker(tmp_path, limits=Limits(subscriptions=2)) as site,
        site.client(GATEWAY) as gateway,
    ):
        codes = await gateway.subscribe("doorward/a", "doorward/b", "doorward/c")
        assert codes == bytes([1, 1, mqtt.REFUSED])
        assert await gateway.subscribe("doorward/a") == bytes([1]), "one that it has already"


async def test_mutated_packets_never_stop_the_broker(tmp_path):
    dice = random.Random(7)
    corpus = [
        mqtt.connect("front", 10, False, "front", secret("front"), (EVENTS, b"w", True, 1)),
        mqtt.subscribe(3, [(CONTROL, 1), ("doorward/#", 2)]),
        mqtt.unsubscribe(4, [CONTROL]),
        *(mqtt.publish(EVENTS, b"payload", qos, True, False, qos and 5) for qos in (0, 1, 2)),
        *(mqtt.ack(kind, 5) for kind in (mqtt.PUBACK, mqtt.PUBREC, mqtt.PUBREL, mqtt.PUBCOMP)),
        mqtt.pingreq(),
    ]
    async with running_broker(tmp_path) as site, site.client(GATEWAY) as witness:
        for _ in range(300):
            client = await Client.open(site.port)
            if dice.random() < 0.7:
                client.write(corpus[0])
            for _ in range(4):
                packet = bytearray(dice.choice(corpus))
                for _ in range(dice.randrange(3)):
                    packet[dice.randrange(len(packet))] = dice.randrange(256)
                client.write(bytes(packet))
            await client.drop()
        assert not await witness.is_closed()
        async with site.client("front") as front:
            await front.subscribe(CONTROL)
            await witness.publish(CONTROL, b"alive")
            assert (await front.messages())[-1].payload == b"alive"
