# The packets that only a broker says or reads: a board need not carry them.

from doorward_core.mqtt import MqttError, frame, take, take_id, take_text


class Connect:
    # will: (topic, payload, retain, qos) or None; password None if the flag is not set.
    __slots__ = ("level", "client_id", "clean", "keepalive", "will", "user", "password")

    def __init__(self, level: int) -> None:
        self.level = level
        self.client_id = ""
        self.clean = True
        self.keepalive = 0
        self.will: "tuple[str, bytes, bool, int] | None" = None
        self.user: "str | None" = None
        self.password: "bytes | None" = None


def parse_connect(body: bytes) -> Connect:
    # Protocol levels other than 4 come back with nothing but their level: the rest may mean
    # something else there, and the answer is a CONNACK with BAD_PROTOCOL (3.1.2.2).
    name, at = take(body, 0)
    if name != b"MQTT" or len(body) <= at:
        raise MqttError("CONNECT that is not MQTT 3.1.1")
    packet = Connect(body[at])
    if packet.level != 4:
        return packet
    if len(body) < at + 4:
        raise MqttError("packet cut short")
    flags = body[at + 1]
    if flags & 1 or flags & 0xC0 == 0x40:
        raise MqttError("CONNECT with reserved flags")
    packet.clean = bool(flags & 2)
    packet.keepalive = body[at + 2] << 8 | body[at + 3]
    packet.client_id, at = take_text(body, at + 4)
    packet.will, at = _will(flags, body, at)
    if flags & 0x80:
        packet.user, at = take_text(body, at)
    if flags & 0x40:
        packet.password, at = take(body, at)
    if at != len(body):
        raise MqttError("CONNECT with bytes left over")
    return packet


def _will(flags: int, body: bytes, at: int) -> "tuple[tuple[str, bytes, bool, int] | None, int]":
    qos = flags >> 3 & 3
    if not flags & 4:
        if flags & 0x38:
            raise MqttError("CONNECT with will flags and no will")
        return None, at
    if qos == 3:
        raise MqttError("CONNECT with will QoS 3")
    topic, at = take_text(body, at)
    payload, at = take(body, at)
    if not topic or "+" in topic or "#" in topic:
        raise MqttError("will for a topic with wildcards, or for none")
    return (topic, payload, bool(flags & 0x20), qos), at


def parse_subscribe(body: bytes) -> "tuple[int, list[tuple[str, int]]]":
    # (packet id, [(filter, wanted QoS), ...]).
    packet_id = take_id(body, 0)
    at = 2
    wanted: "list[tuple[str, int]]" = []
    while at < len(body):
        pattern, at = take_text(body, at)
        if at >= len(body) or body[at] > 2:
            raise MqttError("SUBSCRIBE with a QoS that is not 0, 1 or 2")
        wanted.append((pattern, body[at]))
        at += 1
    if not wanted:
        raise MqttError("SUBSCRIBE without a filter")
    return packet_id, wanted


def parse_unsubscribe(body: bytes) -> "tuple[int, list[str]]":
    # (packet id, [filter, ...]).
    packet_id = take_id(body, 0)
    at = 2
    filters: "list[str]" = []
    while at < len(body):
        pattern, at = take_text(body, at)
        filters.append(pattern)
    if not filters:
        raise MqttError("UNSUBSCRIBE without a filter")
    return packet_id, filters


def connack(session_present: bool, code: int) -> bytes:
    return bytes((0x20, 2, 1 if session_present else 0, code))


def suback(packet_id: int, codes: "list[int]") -> bytes:
    return frame(0x90, packet_id.to_bytes(2, "big") + bytes(codes))


def pingresp() -> bytes:
    return b"\xd0\x00"
