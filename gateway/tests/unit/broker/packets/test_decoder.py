"""The broker's decoder gives what the shared one gives, however a stream is cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.broker.packets.decoder import Decoder
from doorward_core import mqtt, mqtt_stream

ACKS = [
    mqtt.ack(kind, packet_id)
    for kind in (mqtt.PUBACK, mqtt.PUBREC, mqtt.PUBREL, mqtt.PUBCOMP)
    for packet_id in (0, 1, 0x4002, 0x0A0A, 65_535)
]
OTHERS = [
    mqtt.publish("a/b", b"\x40\x02\0\1", 1, False, False, 7),
    b"\xc0\0",
    b"\x40\x04\0\1\0\2",  # an acknowledgement that is too long is one packet, not two
    b"\x40\x00",
    b"\x41\x02\0\1",  # flags that are none
    b"\x40\x82\x00\0\1",  # a length in two bytes
]


def told(decoder, pieces):
    """(the packets, what ended the stream)"""
    packets = []
    for piece in pieces:
        try:
            packets += decoder.feed(piece)
        except mqtt.MqttError as error:
            return packets, str(error)
        if decoder.broken is not None:
            return packets, str(decoder.broken)
    return packets, decoder.pending()


@given(
    st.lists(st.sampled_from(ACKS) | st.sampled_from(OTHERS) | st.binary(max_size=6), max_size=30),
    st.lists(st.integers(0, 200), max_size=5),
)
def test_it_cuts_as_the_shared_one_does(packets, cuts):
    stream = b"".join(packets)
    at = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = [stream[begin:end] for begin, end in pairwise(at)]
    assert told(Decoder(64), pieces) == told(mqtt_stream.Decoder(64), pieces)


@pytest.mark.parametrize("count", [1, 70_000])
def test_many_in_a_row_are_all_there(count):
    decoder = Decoder()
    stream = b"".join(mqtt.ack(mqtt.PUBACK, number % 65_535 + 1) for number in range(count))
    packets = decoder.feed(stream + b"\x40\x02\0")
    assert [mqtt.parse_ack(body) for _, _, body in packets] == [
        n % 65_535 + 1 for n in range(count)
    ]
    assert decoder.pending() == 3
