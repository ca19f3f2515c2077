# Where received bytes become packets: one fixed buffer, and no room for what is too long.
#
# The decoder of doorward_core joins byte strings and closes on an oversized packet. A board has
# neither the heap for the one nor the wish for the other: one long message that somebody
# retained would keep it offline. Here such a packet is passed over, and named so that it can be
# acknowledged and never comes back.

from doorward_core import mqtt_packets as mqtt
from doorward_core.compat import const

# A payload, its topic, and the packet's own fields.
_SIZE = const(1280)
# seal.MAX_PAYLOAD, its topic and packet identifier.
_MAX_BODY = const(1224)
_PUBLISH = const(3)


class Inbox:
    def __init__(self):
        self._view = memoryview(bytearray(_SIZE))
        self.clear()

    def clear(self):
        self.used = 0
        self._skip = 0
        self.passed_over = 0

    def room(self):
        # Where the next bytes are to be read to; who reads adds their number to `used`.
        return self._view[self.used :]

    def next(self):
        # The next packet as (type, flags, body), None if there is none yet. A body that is too
        # long is None and `passed_over` is its packet identifier (0 if it had none).
        # Raises mqtt.MqttError; nothing after that can be understood.
        if self._skip:
            gone = min(self._skip, self.used)
            self._skip -= gone
            self._drop(gone)
        if self.used < 2:
            return None
        size, start = self._remaining_length()
        if not start:
            return None
        kind = self._view[0] >> 4
        flags = self._view[0] & 15
        end = start + size
        if end > _SIZE or size > _MAX_BODY:
            return self._pass_over(kind, flags, start, end)
        if self.used < end:
            return None
        mqtt.check_flags(kind, flags)
        body = bytes(self._view[start:end])
        self._drop(end)
        return kind, flags, body

    def _pass_over(self, kind, flags, start, end):
        # Waits for as much of the packet as names it, then lets the rest run by.
        mqtt.check_flags(kind, flags)
        if self.used < start + 2:
            return None
        at = start + 2 + (self._view[start] << 8 | self._view[start + 1])
        if kind != _PUBLISH or at + 2 > _SIZE:
            raise mqtt.MqttError("packet of " + str(end) + " bytes")
        if self.used < min(at + 2, end):
            return None
        self.passed_over = mqtt.take_id(bytes(self._view[at : at + 2]), 0) if flags & 6 else 0
        self._skip = end
        return kind, flags, None

    def _drop(self, count):
        left = self.used - count
        if left:
            self._view[:left] = self._view[count : self.used]
        self.used = left

    def _remaining_length(self):
        # (remaining length, where the body starts); start is 0 while bytes of it are missing.
        size = 0
        for index in range(1, 5):
            if index >= self.used:
                return 0, 0
            byte = self._view[index]
            size |= (byte & 127) << 7 * (index - 1)
            if not byte & 128:
                return size, index + 1
        raise mqtt.MqttError("remaining length of more than four bytes")
