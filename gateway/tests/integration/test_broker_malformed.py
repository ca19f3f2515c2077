"""What the standard forbids ends the connection it came over, with the reason in the log, and changes nothing else."""

import pytest
from broker_support import GATEWAY, Client, running_broker, secret, topic

from doorward_core import mqtt, mqtt_server, topics

EVENTS = topic("front", topics.EVENTS)
OFFLINE = topic("front", topics.OFFLINE)
ILL_FORMED = {
    "a lone surrogate [MQTT-1.5.3-1]": b"\xed\xa0\x80",
    "an overlong U+0000": b"\xc0\x80",
    "a character cut short": b"\xe2\x82",
    "beyond U+10FFFF": b"\xf4\x90\x80\x80",
}


def connect(flags, *fields, name=b"MQTT", level=4, more=b""):
    """A CONNECT whose parts are what the test says."""
    head = mqtt.string(name) + bytes((level, flags, 0, 30))
    return mqtt.frame(0x10, head + b"".join(map(mqtt.string, fields)) + more)


FRONT = (b"front", b"front", secret("front").encode())
CUT = "packet cut short"
IN_CONNECT = {
    "another protocol's name [MQTT-3.1.2-1]": (
        connect(0xC2, *FRONT, name=b"MQIsdp"),
        "not MQTT 3.1.1",
    ),
    "the reserved flag [MQTT-3.1.2-3]": (connect(0xC3, *FRONT), "reserved flags"),
    "a password and no name [MQTT-3.1.2-22]": (connect(0x42, b"front", b"x"), "reserved flags"),
    "a will QoS and no will [MQTT-3.1.2-13]": (connect(0xCA, *FRONT), "will flags and no will"),
    "a will to retain and no will [MQTT-3.1.2-15]": (connect(0xE2, *FRONT), "and no will"),
    "a will of QoS 3 [MQTT-3.1.2-14]": (
        connect(0xDE, b"front", OFFLINE.encode(), b"gone", *FRONT[1:]),
        "will QoS 3",
    ),
    "a will on a filter": (
        connect(0xC6, b"front", b"doorward/#", b"gone", *FRONT[1:]),
        "wildcards",
    ),
    "a will on nothing [MQTT-4.7.3-1]": (connect(0xC6, b"front", b"", b"gone", *FRONT[1:]), "none"),
    "a field too few": (connect(0xC2, *FRONT[:2]), CUT),
    "a field too many": (connect(0xC2, *FRONT, b"more"), "bytes left over"),
    "a field longer than the packet": (connect(0x02, more=b"\xff\xffabc"), CUT),
    "flags of another type [MQTT-2.2.2-1]": (b"\x11" + connect(0xC2, *FRONT)[1:], "no CONNECT"),
    "no packet of a client": (b"\x00\x00", "no CONNECT"),
    "U+0000 in the client id [MQTT-1.5.3-2]": (connect(0x02, b"fr\0nt"), "U+0000"),
    "U+0000 in the user name": (connect(0x82, b"front", b"fr\0nt"), "U+0000"),
    **{
        f"{what}, in the client id": (connect(0x02, text), "not UTF-8")
        for what, text in ILL_FORMED.items()
    },
}


def publish(where, *, head=0x30, more=b"x"):
    return mqtt.frame(head, mqtt.string(where) + more)


LATER = {
    "a second CONNECT [MQTT-3.1.0-2]": (connect(0xC2, *FRONT), "second CONNECT"),
    "QoS 3 [MQTT-3.3.1-4]": (publish(EVENTS, head=0x36, more=b"\0\1x"), "QoS 3"),
    "DUP at QoS 0 [MQTT-3.3.1-2]": (publish(EVENTS, head=0x38), "DUP at QoS 0"),
    "PUBLISH to a filter [MQTT-3.3.2-2]": (publish("doorward/+"), "wildcards"),
    "PUBLISH to nothing [MQTT-4.7.3-1]": (publish(""), "none"),
    "PUBLISH to U+0000 [MQTT-4.7.3-2]": (publish("doorward/\0"), "U+0000"),
    "PUBLISH without its id": (publish(EVENTS, head=0x32, more=b"\0"), CUT),
    "PUBLISH without its topic": (b"\x30\x00", CUT),
    "SUBSCRIBE to nothing [MQTT-3.8.3-3]": (mqtt.frame(0x82, b"\0\1"), "without a filter"),
    "SUBSCRIBE to an empty filter": (mqtt.subscribe(1, [("", 0)]), "malformed topic filter"),
    "SUBSCRIBE to a#": (mqtt.subscribe(1, [("a#", 0)]), "malformed topic filter"),
    "SUBSCRIBE to #/a [MQTT-4.7.1-2]": (mqtt.subscribe(1, [("#/a", 0)]), "malformed topic filter"),
    "SUBSCRIBE to a+ [MQTT-4.7.1-3]": (mqtt.subscribe(1, [("a+/b", 0)]), "malformed topic filter"),
    "SUBSCRIBE at QoS 3 [MQTT-3.8.3-4]": (mqtt.subscribe(1, [("a", 3)]), "not 0, 1 or 2"),
    "SUBSCRIBE with other flags [MQTT-3.8.1-1]": (b"\x80\x06\0\1\0\1a\0", "reserved flags"),
    "SUBSCRIBE without a QoS": (mqtt.frame(0x82, b"\0\1\0\1a"), "not 0, 1 or 2"),
    "UNSUBSCRIBE from nothing [MQTT-3.10.3-2]": (mqtt.frame(0xA2, b"\0\1"), "without a filter"),
    "UNSUBSCRIBE with other flags [MQTT-3.10.1-1]": (b"\xa0\x05\0\1\0\1a", "reserved flags"),
    "PUBREL with other flags [MQTT-3.6.1-1]": (b"\x60\x02\0\1", "reserved flags"),
    "PUBACK of three bytes": (b"\x40\x03\0\1\0", "acknowledgement of 3 bytes"),
    "PUBREC of one byte": (b"\x50\x01\0", "acknowledgement of 1 bytes"),
    "PINGREQ with something in it": (b"\xc0\x01x", "PINGREQ with 1 bytes in it"),
    "DISCONNECT with something in it": (b"\xe0\x01x", "DISCONNECT with 1 bytes in it"),
    "DISCONNECT with flags [MQTT-3.14.1-1]": (b"\xe1\x00", "reserved flags"),
    "type 0": (b"\x00\x00", "reserved packet type 0"),
    "type 15": (b"\xf0\x00", "reserved packet type 15"),
    "a length of five bytes": (b"\x30\xff\xff\xff\xff\x01", "more than four bytes"),
    "256 MB": (b"\x30\xff\xff\xff\x7f", "packet of 268435455 bytes"),
    **{
        f"{name} from a client": (packet, f"packet type {packet[0] >> 4} from a client")
        for name, packet in {
            "CONNACK": mqtt_server.connack(False, 0),
            "SUBACK": mqtt_server.suback(1, [0]),
            "UNSUBACK": mqtt.ack(mqtt.UNSUBACK, 1),
            "PINGRESP": mqtt_server.pingresp(),
        }.items()
    },
    **{
        f"{name} with packet id 0 [MQTT-2.3.1-1]": (packet, "packet identifier 0")
        for name, packet in {
            "PUBLISH": publish(EVENTS, head=0x32, more=b"\0\0x"),
            "PUBACK": mqtt.ack(mqtt.PUBACK, 0),
            "PUBREC": mqtt.ack(mqtt.PUBREC, 0),
            "PUBREL": mqtt.ack(mqtt.PUBREL, 0),
            "PUBCOMP": mqtt.ack(mqtt.PUBCOMP, 0),
            "SUBSCRIBE": mqtt.subscribe(0, [("a", 0)]),
            "UNSUBSCRIBE": b"\xa2\x05\0\0\0\1a",
        }.items()
    },
    **{
        f"{what}, in a topic": (publish(b"doorward/" + text), "not UTF-8")
        for what, text in ILL_FORMED.items()
    },
    **{
        f"{what}, in a filter": (
            mqtt.frame(0x82, b"\0\1" + mqtt.string(text) + b"\0"),
            "not UTF-8",
        )
        for what, text in ILL_FORMED.items()
    },
}


async def gone(client):
    """The broker closes without another word."""
    with pytest.raises((EOFError, ConnectionError)):
        await client.expect(mqtt.CONNACK)
    await client.drop()


async def test_in_the_first_packet(tmp_path, caplog):
    caplog.set_level("INFO", "doorward.broker")
    async with running_broker(tmp_path) as site, site.client("front") as bystander:
        await bystander.subscribe(topic("front", topics.CONTROL))
        for what, (packet, reason) in IN_CONNECT.items():
            caplog.clear()
            client = await Client.open(site.port)
            client.write(packet)
            await gone(client)
            assert reason in caplog.text, what
            assert not await bystander.is_closed(), what
        async with site.client("back"):
            pass


async def test_in_a_later_packet(tmp_path, caplog):
    caplog.set_level("INFO", "doorward.broker")
    async with running_broker(tmp_path) as site, site.client(GATEWAY) as gateway:
        await gateway.subscribe(OFFLINE, EVENTS)
        for what, (packet, reason) in LATER.items():
            caplog.clear()
            client = await Client.open(site.port)
            await client.connect("front", will=(OFFLINE, b"gone", False, 1))
            client.write(packet)
            await gone(client)
            (line,) = [line for line in caplog.text.splitlines() if "closed, " in line]
            assert "front@127.0.0.1" in line, what
            assert reason in line, what
            assert [one.payload for one in await gateway.messages()] == [b"gone"], what
        async with site.client("front") as front:
            await front.publish(EVENTS, b"alive")
        assert [one.payload for one in await gateway.messages()] == [b"alive"]


async def test_what_came_before_it_in_the_same_segment_counts(tmp_path, caplog):
    caplog.set_level("INFO")
    will = (OFFLINE, b"gone", False, 0)
    async with running_broker(tmp_path) as site, site.client(GATEWAY) as gateway:
        await gateway.subscribe("doorward/#")
        front = await Client.open(site.port)
        await front.connect("front", will=will)
        front.write(mqtt.publish(EVENTS, b"before", 0) + b"\xf0\x00")
        assert (await gateway.message()).payload == b"before"
        assert (await gateway.message()).payload == b"gone"
        await site.gone("front")
        await front.drop()
    assert "reserved packet type 15" in caplog.text


async def test_nothing_after_a_goodbye_is_heard(tmp_path):
    """[MQTT-3.14.4-2]."""
    async with running_broker(tmp_path) as site, site.client(GATEWAY) as gateway:
        await gateway.subscribe(EVENTS)
        client = await Client.open(site.port)
        await client.connect("front")
        client.write(publish(EVENTS, more=b"before") + mqtt.disconnect() + publish(EVENTS))
        await gone(client)
        assert [one.payload for one in await gateway.messages()] == [b"before"]


async def test_acknowledgements_that_nobody_asked_for_are_ignored(tmp_path):
    async with running_broker(tmp_path) as site, site.client("front") as front:
        for kind in (mqtt.PUBACK, mqtt.PUBCOMP):
            front.write(mqtt.ack(kind, 7))
        front.write(mqtt.ack(mqtt.PUBREC, 8))
        assert mqtt.parse_ack(await front.expect(mqtt.PUBREL)) == 8
        front.write(mqtt.ack(mqtt.PUBREL, 9))
        assert mqtt.parse_ack(await front.expect(mqtt.PUBCOMP)) == 9, "[MQTT-3.6.4-1]"
        assert not await front.is_closed()


@pytest.mark.parametrize("wrong", [mqtt.PUBREC, mqtt.PUBCOMP])
async def test_an_acknowledgement_of_another_qos_ends_the_connection(tmp_path, wrong, caplog):
    caplog.set_level("INFO", "doorward.broker")
    control = topic("front", topics.CONTROL)
    async with running_broker(tmp_path) as site, site.client(GATEWAY) as gateway:
        front = await Client.open(site.port)
        await front.connect("front", clean=False)
        await front.subscribe(control)
        await gateway.publish(control, b"do")
        got = await front.message(ack=False)
        front.write(mqtt.ack(wrong, got.packet_id))
        await gone(front)
        assert f"for the QoS 1 message {got.packet_id}" in caplog.text or "released" in caplog.text
        async with site.client("front", clean=False) as front:
            assert [one.payload for one in await front.messages()] == [b"do"]
