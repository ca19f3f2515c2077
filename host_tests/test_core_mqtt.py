# MQTT packets, byte by byte as the standard's figures show them. Both interpreters.

from support import raises

from doorward_core import mqtt, mqtt_server, mqtt_stream


def one(packet):
    packets = mqtt_stream.Decoder().feed(packet)
    assert len(packets) == 1
    return packets[0]


def test_connect_is_the_bytes_of_the_standard():
    packet = mqtt.connect("cid", 60, False, "user", "pass", ("w", b"gone", True, 1))
    assert packet == (
        b"\x10\x24\x00\x04MQTT\x04\xec\x00\x3c\x00\x03cid\x00\x01w\x00\x04gone\x00\x04user\x00\x04pass"
    )
    found = mqtt_server.parse_connect(one(packet)[2])
    assert (found.client_id, found.keepalive, found.clean) == ("cid", 60, False)
    assert (found.user, found.password) == ("user", b"pass")
    assert found.will == ("w", b"gone", True, 1)


def test_a_bare_connect():
    packet = mqtt.connect("", 0, True)
    assert packet == b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00"
    found = mqtt_server.parse_connect(one(packet)[2])
    assert (found.client_id, found.clean, found.user, found.password) == ("", True, None, None)


def test_publish_with_and_without_a_packet_id():
    assert mqtt.publish("a/b", b"xy") == b"\x30\x07\x00\x03a/bxy"
    packet = mqtt.publish("a/b", b"xy", 1, True, True, 258)
    assert packet == b"\x3b\x09\x00\x03a/b\x01\x02xy"
    kind, flags, body = one(packet)
    assert (kind, flags) == (mqtt.PUBLISH, 11)
    assert mqtt.parse_publish(flags, body) == ("a/b", 258, b"xy")


def test_remaining_lengths_at_their_borders():
    for size, head in (
        (127, b"\x7f"),
        (128, b"\x80\x01"),
        (16383, b"\xff\x7f"),
        (16384, b"\x80\x80\x01"),
    ):
        packet = mqtt.frame(0x30, bytes(size))
        assert packet[1 : 1 + len(head)] == head
        assert one(packet) == (3, 0, bytes(size))


def test_acknowledgements():
    assert mqtt.ack(mqtt.PUBACK, 258) == b"\x40\x02\x01\x02"
    assert mqtt.ack(mqtt.PUBREL, 1) == b"\x62\x02\x00\x01"
    assert mqtt.parse_ack(b"\x01\x02") == 258
    assert mqtt.parse_connack(mqtt_server.connack(True, 0)[2:]) == (True, 0)
    assert mqtt_server.connack(False, mqtt.BAD_LOGIN) == b"\x20\x02\x00\x04"
    assert mqtt.parse_suback(mqtt_server.suback(7, [1, 0x80])[2:]) == (7, b"\x01\x80")
    assert (mqtt.pingreq(), mqtt_server.pingresp(), mqtt.disconnect()) == (
        b"\xc0\0",
        b"\xd0\0",
        b"\xe0\0",
    )


def test_subscribe_and_unsubscribe():
    packet = mqtt.subscribe(10, [("a/b", 1), ("c/#", 2)])
    assert packet == b"\x82\x0e\x00\x0a\x00\x03a/b\x01\x00\x03c/#\x02"
    assert mqtt_server.parse_subscribe(one(packet)[2]) == (10, [("a/b", 1), ("c/#", 2)])
    packet = b"\xa2\x07\x00\x0b\x00\x03a/b"
    assert mqtt_server.parse_unsubscribe(one(packet)[2]) == (11, ["a/b"])


def test_a_stream_may_be_cut_anywhere():
    packets = [
        mqtt.connect("cid", 60, True),
        mqtt.publish("t", bytes(300), 1, packet_id=5),
        mqtt.pingreq(),
    ]
    stream = b"".join(packets)
    whole = mqtt_stream.Decoder().feed(stream)
    assert [packet[0] for packet in whole] == [1, 3, 12]
    for size in (1, 2, 3, 7, 64):
        decoder, found = mqtt_stream.Decoder(), []
        for at in range(0, len(stream), size):
            found += decoder.feed(stream[at : at + size])
        assert found == whole
        assert decoder.pending() == 0


def test_what_the_standard_forbids_is_refused():
    for stream in (
        b"\x00\x00",
        b"\xf0\x00",
        b"\x36\x00",
        b"\x38\x00",
        b"\x80\x00",
        b"\x60\x00",
        b"\xc1\x00",
        b"\x30\xff\xff\xff\xff\x01",
    ):
        raises(mqtt.MqttError, mqtt_stream.Decoder().feed, stream)


def test_what_came_before_a_mistake_is_given_out_first():
    decoder = mqtt_stream.Decoder()
    assert [packet[0] for packet in decoder.feed(mqtt.pingreq() + b"\xf0\x00")] == [12]
    assert decoder.broken is not None
    assert decoder.pending() == 0
    raises(mqtt.MqttError, decoder.feed, mqtt.pingreq())


def test_a_packet_over_the_limit_is_refused_before_it_is_there():
    raises(mqtt.MqttError, mqtt_stream.Decoder(100).feed, b"\x30\x65")
    assert mqtt_stream.Decoder(100).feed(b"\x30\x64") == []


def test_malformed_bodies_are_refused():
    for parse, body in (
        (mqtt_server.parse_connect, b""),
        (mqtt_server.parse_connect, b"\0\4MQTT\4"),
        (mqtt_server.parse_connect, b"\0\6MQIsdp\3\2\0\0\0\0"),
        (mqtt_server.parse_connect, b"\0\4MQTT\4\3\0\0\0\0"),
        (mqtt_server.parse_connect, b"\0\4MQTT\4\x42\0\0\0\0\0\0"),
        (mqtt_server.parse_connect, b"\0\4MQTT\4\x1a\0\0\0\0"),
        (mqtt_server.parse_connect, b"\0\4MQTT\4\x1e\0\0\0\0\0\1w\0\0"),
        (mqtt_server.parse_connect, b"\0\4MQTT\4\6\0\0\0\0\0\1#\0\0"),
        (mqtt_server.parse_connect, b"\0\4MQTT\4\2\0\0\0\0x"),
        (mqtt_server.parse_connect, b"\0\4MQTT\4\2\0\0\0\2\xc3\x28"),
        (mqtt_server.parse_subscribe, b"\0\1"),
        (mqtt_server.parse_subscribe, b"\0\0\0\1a\0"),
        (mqtt_server.parse_subscribe, b"\0\1\0\1a"),
        (mqtt_server.parse_subscribe, b"\0\1\0\1a\3"),
        (mqtt_server.parse_subscribe, b"\0\1\0\5a\0"),
        (mqtt_server.parse_unsubscribe, b"\0\1"),
        (mqtt.parse_ack, b"\0"),
        (mqtt.parse_ack, b"\0\0"),
        (mqtt.parse_connack, b"\2\0"),
    ):
        raises(mqtt.MqttError, parse, body)
    for flags, body in (
        (0, b"\0\0x"),
        (0, b"\0\1+"),
        (2, b"\0\1t\0"),
        (2, b"\0\1t\0\0"),
        (0, b"\0\2a\0"),
    ):
        raises(mqtt.MqttError, mqtt.parse_publish, flags, body)


def test_another_protocol_level_is_told_apart_from_nonsense():
    assert mqtt_server.parse_connect(b"\0\4MQTT\5\2\0\0\0\0\0").level == 5
