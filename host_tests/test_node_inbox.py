# Packets out of bytes, in whatever pieces they come.

from doorward_core import mqtt, mqtt_packets
from doorward_node.inbox import Inbox


def feed(inbox, data):
    # What came out, byte by byte.
    found = []
    for at in range(len(data)):
        inbox.room()[:1] = data[at : at + 1]
        inbox.used += 1
        packet = inbox.next()
        while packet:
            found.append(packet if packet[2] is not None else inbox.passed_over)
            packet = inbox.next()
    return found


def test_a_packet_comes_out_when_its_last_byte_is_in():
    packet = mqtt_packets.publish("a/b", b"c" * 300, 1, False, False, 9)
    found = feed(Inbox(), packet + packet)
    assert [kind for kind, _flags, _body in found] == [mqtt.PUBLISH, mqtt.PUBLISH]


def test_an_oversized_packet_is_named_whatever_the_buffer_held_before():
    inbox = Inbox()
    # Leaves a large number where the next packet's topic length will come to lie.
    assert len(feed(inbox, mqtt_packets.publish("ten/letters", b"", 0, False, False, 0))) == 1
    long = mqtt_packets.publish("a/b", b"\xff" * 2000, 1, False, False, 7)
    assert feed(inbox, long) == [7]
    assert len(feed(inbox, mqtt_packets.publish("a", b"b", 0, False, False, 0))) == 1
