"""The broker's quick way with publishes says and understands exactly what the codec does."""

import random

import pytest

from doorward.broker.packets import wire
from doorward_core import mqtt, mqtt_stream

TOPICS = (
    "a",
    "devices/front/events",
    "ü/ñ",
    "x" * 510,
    "x" * 511,
    "x" * 513,
    "é" * 300,
    "y" * 65_535,
)
SIZES = (0, 1, 100, 110, 127, 128, 16_000, 16_383, 16_384, 70_000)


def pairs():
    dice = random.Random(20261121)
    for topic in TOPICS:
        for size in SIZES:
            qos = dice.randrange(3)
            flags = dice.choice((False, True)), qos > 0 and dice.choice((False, True))
            yield topic, dice.randbytes(size), qos, *flags, dice.randrange(1, 65_536) if qos else 0


def test_the_same_bytes_go_out():
    for said in (*pairs(), *pairs()):  # the second time from memory
        assert wire.publish(*said) == mqtt.publish(*said)


def test_the_same_comes_in():
    for topic, payload, qos, retain, dup, packet_id in (*pairs(), *pairs()):
        packet = mqtt.publish(topic, payload, qos, retain, dup, packet_id)
        ((_, flags, body),) = mqtt_stream.Decoder().feed(packet)
        assert wire.parse_publish(flags, body) == (topic, packet_id, payload)


@pytest.mark.parametrize(
    ("flags", "body"),
    [
        (0, b""),
        (0, b"\x00"),
        (0, b"\x00\x00"),
        (0, b"\x00\x05abc"),
        (0, b"\x00\x01+x"),
        (0, b"\x00\x03a/#zz"),
        (0, b"\x00\x01\xffzz"),
        (0, b"\x00\x01\x00zz"),
        (2, b"\x00\x01a"),
        (2, b"\x00\x01a\x00"),
        (2, b"\x00\x01a\x00\x00"),
        (2, b"\x00\x01a\x00\x00rest"),
    ],
)
def test_the_same_is_refused(flags, body):
    for _ in range(2):
        with pytest.raises(mqtt.MqttError) as ours:
            wire.parse_publish(flags, body)
        with pytest.raises(mqtt.MqttError) as theirs:
            mqtt.parse_publish(flags, body)
        assert str(ours.value) == str(theirs.value)


def test_long_topics_are_not_remembered():
    before = wire._topic_of.cache_info().currsize, wire._field_of.cache_info().currsize
    for number in range(5):
        topic = f"{number}".ljust(600, "z")
        ((_, flags, body),) = mqtt_stream.Decoder().feed(wire.publish(topic, b"x", 0))
        assert wire.parse_publish(flags, body)[0] == topic
    assert (wire._topic_of.cache_info().currsize, wire._field_of.cache_info().currsize) == before
