# MQTT 3.1.1 packets, without any I/O: the one codec of the board's client and the broker.
#
# What a door's board needs; mqtt has the same, the rest, and the names of all packet types and codes.
# Encoders return the bytes of one packet, to be sent with one write; parse_* take the body of a
# packet apart. What only a broker says or reads stands in mqtt_server, and mqtt_stream cuts a byte
# stream into packets for who has the heap to join byte strings.
# Source: OASIS MQTT Version 3.1.1, 29 October 2014; section numbers below are its own.

from doorward_core.compat import const

_PUBLISH = const(3)
_PUBREL = const(6)
_SUBSCRIBE = const(8)
_UNSUBSCRIBE = const(10)

_PROTOCOL = b"\x00\x04MQTT\x04"


class MqttError(ValueError):
    # The peer sent something that the standard forbids: close the connection (4.8).
    pass


def frame(head: int, body: bytes) -> bytes:
    # A whole packet: fixed header with the remaining length (2.2.3), then body.
    size = len(body)
    if size < 128:
        return bytes((head, size)) + body
    if size < 16384:
        return bytes((head, size & 127 | 128, size >> 7)) + body
    header = [head]
    while size > 127:
        header.append(size & 127 | 128)
        size >>= 7
    header.append(size)
    return bytes(header) + body


def string(data: "str | bytes") -> bytes:
    # A length-prefixed field (1.5.3).
    if isinstance(data, str):
        data = data.encode()
    if len(data) > 65535:
        raise MqttError("field longer than 65535 bytes")
    return len(data).to_bytes(2, "big") + data


def connect(
    client_id: str,
    keepalive: int,
    clean: bool,
    user: "str | None" = None,
    password: "str | bytes | None" = None,
    will: "tuple[str, bytes, bool, int] | None" = None,
) -> bytes:
    # will: (topic, payload, retain, qos).
    flags = 2 if clean else 0
    body = [string(client_id)]
    if will:
        topic, payload, retain, qos = will
        flags |= 4 | qos << 3 | (32 if retain else 0)
        body += [string(topic), string(payload)]
    if user is not None:
        flags |= 128
        body.append(string(user))
        if password is not None:
            flags |= 64
            body.append(string(password))
    head = _PROTOCOL + bytes((flags,)) + keepalive.to_bytes(2, "big")
    return frame(0x10, head + b"".join(body))


def publish(
    topic: "str | bytes",
    payload: bytes,
    qos: int = 0,
    retain: bool = False,
    dup: bool = False,
    packet_id: int = 0,
) -> bytes:
    head = 0x30 | (8 if dup else 0) | qos << 1 | (1 if retain else 0)
    if qos:
        return frame(head, string(topic) + packet_id.to_bytes(2, "big") + payload)
    return frame(head, string(topic) + payload)


def ack(kind: int, packet_id: int) -> bytes:
    # PUBACK, PUBREC, PUBREL, PUBCOMP or UNSUBACK.
    flags = 2 if kind == _PUBREL else 0
    return bytes((kind << 4 | flags, 2, packet_id >> 8, packet_id & 255))


def subscribe(packet_id: int, filters: "list[tuple[str, int]]") -> bytes:
    body = [packet_id.to_bytes(2, "big")]
    for pattern, qos in filters:
        body.append(string(pattern) + bytes((qos,)))
    return frame(0x82, b"".join(body))


def pingreq() -> bytes:
    return b"\xc0\x00"


def check_flags(kind: int, flags: int) -> None:
    # 2.2.2: reserved flags; a wrong one closes the connection.
    if kind == _PUBLISH:
        if flags & 6 == 6:
            raise MqttError("PUBLISH with QoS 3")
        if flags & 14 == 8:
            raise MqttError("PUBLISH with DUP at QoS 0")
    elif not 0 < kind < 15:
        raise MqttError("reserved packet type " + str(kind))
    elif flags != (2 if kind in (_PUBREL, _SUBSCRIBE, _UNSUBSCRIBE) else 0):
        raise MqttError("reserved flags set in packet type " + str(kind))


def take(body: bytes, at: int) -> "tuple[bytes, int]":
    # (the length-prefixed field at this place, the place behind it).
    start = at + 2
    if len(body) < start:
        raise MqttError("packet cut short")
    end = start + (body[at] << 8 | body[at + 1])
    if len(body) < end:
        raise MqttError("packet cut short")
    return body[start:end], end


def take_text(body: bytes, at: int) -> "tuple[str, int]":
    data, at = take(body, at)
    try:
        text = data.decode()
    except ValueError:
        raise MqttError("text that is not UTF-8")
    if "\0" in text:
        raise MqttError("text with U+0000")
    return text, at


def take_id(body: bytes, at: int) -> int:
    # A packet identifier; 0 is none (2.3.1).
    if len(body) < at + 2:
        raise MqttError("packet cut short")
    packet_id = body[at] << 8 | body[at + 1]
    if not packet_id:
        raise MqttError("packet identifier 0")
    return packet_id


def parse_publish(flags: int, body: bytes) -> "tuple[str, int, bytes]":
    # (topic, packet id or 0, payload).
    topic, at = take_text(body, 0)
    if not topic or "+" in topic or "#" in topic:
        raise MqttError("PUBLISH to a topic with wildcards, or to none")
    if not flags & 6:
        return topic, 0, body[at:]
    return topic, take_id(body, at), body[at + 2 :]


def parse_connack(body: bytes) -> "tuple[bool, int]":
    # (session present, return code).
    if len(body) != 2 or body[0] > 1:
        raise MqttError("malformed CONNACK")
    return bool(body[0]), body[1]
