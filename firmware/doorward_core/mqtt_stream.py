# Cuts a byte stream into MQTT packets (type, flags, body), by joining byte strings as they come.

from doorward_core.mqtt import MqttError, check_flags

# First bytes that need no second look: messages of each QoS, and what answers them.
_USUAL = b"\x30\x32\x34\x40\x50\x62\x70"


class Decoder:
    # Cuts a byte stream into packets. largest: what the body of a packet may measure.
    def __init__(self, largest: int = 268435455) -> None:
        self._largest = largest
        self._buffer = b""
        self.broken: "MqttError | None" = None  # what ended the stream

    def feed(self, data: bytes) -> "list[tuple[int, int, bytes]]":
        # The packets that data completes, as (type, flags, body). What cannot be understood sets
        # broken: the connection is to be closed, once the packets before it were looked at.
        # Raises it when there are none, and when called again.
        if self.broken is not None:
            raise self.broken
        packets: "list[tuple[int, int, bytes]]" = []
        try:
            self._cut(self._buffer + data if self._buffer else data, packets)
        except MqttError as error:
            self.broken = error
            self._buffer = b""
            if not packets:
                raise
        return packets

    def _cut(self, buffer: bytes, packets: "list[tuple[int, int, bytes]]") -> None:
        have = len(buffer)
        at = 0
        while have - at > 1:
            head = buffer[at]
            size = buffer[at + 1]
            start = at + 2
            if size > 127:
                if have > start and buffer[start] < 128:
                    size = size & 127 | buffer[start] << 7
                    start += 1
                else:
                    size, start = _remaining_length(buffer, at)
                    if not start:
                        break
            if size > self._largest:
                raise MqttError("packet of " + str(size) + " bytes")
            end = start + size
            if end > have:
                break
            kind = head >> 4
            flags = head & 15
            if head not in _USUAL:
                check_flags(kind, flags)
            packets.append((kind, flags, buffer[start:end]))
            at = end
        self._buffer = buffer[at:]

    def pending(self) -> int:
        # Bytes received that are not yet a packet.
        return len(self._buffer)


def _remaining_length(buffer: bytes, at: int) -> "tuple[int, int]":
    # (remaining length, where the body starts), the latter 0 while bytes of it are missing.
    size = 0
    shift = 0
    index = at + 1
    while index < len(buffer):
        byte = buffer[index]
        size |= (byte & 127) << shift
        index += 1
        if not byte & 128:
            return size, index
        shift += 7
        if shift > 21:
            raise MqttError("remaining length of more than four bytes")
    return 0, 0
