"""The packets in a stream of bytes: as `mqtt_stream` cuts them, quicker for acknowledgements in a row."""

import re

from doorward.broker.ports import Packet
from doorward_core import mqtt_stream

_ACK = 4  # bytes of PUBACK, PUBREC, PUBREL or PUBCOMP
_IN_A_ROW = re.compile(
    rb"(?:\x40\x02..)+|(?:\x50\x02..)+|(?:\x62\x02..)+|(?:\x70\x02..)+", re.DOTALL
)


class Decoder(mqtt_stream.Decoder):
    """Who has many messages in flight acknowledges many with one write."""

    def _cut(self, buffer: bytes, packets: list[Packet]) -> None:
        while (found := _IN_A_ROW.match(buffer)) is not None:
            head, end = buffer[0], found.end()
            kind, flags = head >> 4, head & 15
            packets += [(kind, flags, buffer[at : at + 2]) for at in range(2, end, _ACK)]
            buffer = buffer[end:]
        super()._cut(buffer, packets)
