# MQTT 3.1.1 for who speaks to many: the packets of mqtt_packets, the rest of what a client says and
# reads, and every number by its name.

from doorward_core.mqtt_packets import (
    MqttError,
    ack,
    check_flags,
    connect,
    frame,
    parse_connack,
    parse_publish,
    pingreq,
    publish,
    string,
    subscribe,
    take,
    take_id,
    take_text,
)

__all__ = (
    "ACCEPTED",
    "BAD_CLIENT_ID",
    "BAD_LOGIN",
    "BAD_PROTOCOL",
    "CONNACK",
    "CONNECT",
    "DISCONNECT",
    "NOT_AUTHORISED",
    "PINGREQ",
    "PINGRESP",
    "PUBACK",
    "PUBCOMP",
    "PUBLISH",
    "PUBREC",
    "PUBREL",
    "REFUSED",
    "SUBACK",
    "SUBSCRIBE",
    "UNAVAILABLE",
    "UNSUBACK",
    "UNSUBSCRIBE",
    "MqttError",
    "ack",
    "check_flags",
    "connect",
    "disconnect",
    "frame",
    "parse_ack",
    "parse_connack",
    "parse_publish",
    "parse_suback",
    "pingreq",
    "publish",
    "string",
    "subscribe",
    "take",
    "take_id",
    "take_text",
    "unsubscribe",
)

CONNECT = 1
CONNACK = 2
PUBLISH = 3
PUBACK = 4
PUBREC = 5
PUBREL = 6
PUBCOMP = 7
SUBSCRIBE = 8
SUBACK = 9
UNSUBSCRIBE = 10
UNSUBACK = 11
PINGREQ = 12
PINGRESP = 13
DISCONNECT = 14

ACCEPTED = 0
BAD_PROTOCOL = 1
BAD_CLIENT_ID = 2
UNAVAILABLE = 3
BAD_LOGIN = 4
NOT_AUTHORISED = 5
REFUSED = 0x80


def disconnect() -> bytes:
    return b"\xe0\x00"


def unsubscribe(packet_id: int, filters: "list[str]") -> bytes:
    return frame(0xA2, packet_id.to_bytes(2, "big") + b"".join([string(text) for text in filters]))


def parse_ack(body: bytes) -> int:
    # The packet id of PUBACK, PUBREC, PUBREL, PUBCOMP or UNSUBACK.
    if len(body) != 2:
        raise MqttError("acknowledgement of " + str(len(body)) + " bytes")
    return take_id(body, 0)


def parse_suback(body: bytes) -> "tuple[int, bytes]":
    # (packet id, one return code a filter).
    return take_id(body, 0), body[2:]
