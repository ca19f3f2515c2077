"""Packets that a client may send, and what becomes of them when they are damaged."""

import random
from collections.abc import Iterator

from broker_support import secret

from doorward_core import mqtt, mqtt_server, mqtt_stream

_BYTES = b"\x00\x01\x02\x7f\x80\xfe\xff+#/$"
_PARSERS = {
    mqtt.PUBACK: mqtt.parse_ack,
    mqtt.PUBREC: mqtt.parse_ack,
    mqtt.PUBREL: mqtt.parse_ack,
    mqtt.PUBCOMP: mqtt.parse_ack,
    mqtt.SUBSCRIBE: mqtt_server.parse_subscribe,
    mqtt.UNSUBSCRIBE: mqtt_server.parse_unsubscribe,
}
_BARE = {mqtt.PINGREQ}
_SPARED = 0.93  # of the packets that end a connection: what is behind them would never be looked at


def corpus(name: str) -> list[bytes]:
    """Good packets of a client that may do everything."""
    topics = ("a", "a/b", "ä/b", "/", "$x", "a" * 200, "a/" * 40, f"{name}/x")
    filters = ("#", "+/b", "a/#", "+/+/#", "$x", "a/" * 40 + "#", f"{name}/+")
    return [
        *(
            mqtt.publish(topic, payload, qos, retain, qos > 0 and retain, qos and 5 + qos)
            for topic in topics
            for payload in (b"", b"payload", bytes(300))
            for qos in (0, 1, 2)
            for retain in (False, True)
        ),
        *(mqtt.subscribe(3, [(one, 1), (other, 2)]) for one in filters for other in filters),
        *(mqtt.unsubscribe(4, [one]) for one in filters),
        *(
            mqtt.ack(kind, number)
            for kind in (mqtt.PUBACK, mqtt.PUBREC, mqtt.PUBREL, mqtt.PUBCOMP)
            for number in (1, 2, 6, 7, 65535)
        ),
        mqtt.pingreq(),
    ]


def connect(name: str, dice: random.Random) -> bytes:
    """A good CONNECT."""
    will = (f"{name}/will", b"gone", dice.random() < 0.5, dice.randrange(3))
    given = will if dice.random() < 0.5 else None
    return mqtt.connect(name, dice.choice((0, 60)), dice.random() < 0.5, name, secret(name), given)


def mutated(packet: bytes, dice: random.Random) -> bytes:
    """The packet with some damage: mostly to its body, with the frame mended."""
    head, body = packet[:1], bytearray(packet[2 if len(packet) < 130 else 3 :])
    way = dice.random()
    if way < 0.04:
        head = bytes([dice.randrange(256)])
    elif way < 0.06:
        return _wild(packet, dice)
    elif way < 0.30 and body:
        at = dice.randrange(len(body) + 1)
        body[at:at] = bytes(dice.choice(_BYTES) for _ in range(dice.randrange(1, 9)))
    elif way < 0.45 and body:
        del body[dice.randrange(len(body)) :][: dice.randrange(1, 9)]
    elif body:
        for _ in range(dice.randrange(1, 4)):
            body[dice.randrange(len(body))] = dice.choice(
                (dice.randrange(256), dice.choice(_BYTES))
            )
    return mqtt.frame(head[0], bytes(body))


def _wild(packet: bytes, dice: random.Random) -> bytes:
    """The frame itself is wrong: a length that lies, bytes left out, bytes from nowhere."""
    damaged = bytearray(packet)
    way = dice.randrange(3)
    if way == 0:
        damaged[1:2] = dice.choice(
            (b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff\x01", b"\x80\x80\x00", b"\xff\x7f", b"\0")
        )
    elif way == 1:
        del damaged[dice.randrange(1, len(damaged)) :]
    else:
        damaged += dice.randbytes(dice.randrange(1, 40))
    return bytes(damaged)


def survives(packet: bytes) -> bool:
    """True when a client that has logged in may send this and stay: exactly whole packets, none of them malformed."""
    decoder = mqtt_stream.Decoder(262_144)
    try:
        for kind, flags, body in decoder.feed(packet):
            if kind == mqtt.PUBLISH:
                mqtt.parse_publish(flags, body)
            elif kind in _PARSERS:
                _PARSERS[kind](body)
            elif kind not in _BARE:
                return False
    except mqtt.MqttError:
        return False
    return decoder.broken is None and not decoder.pending()


def bursts(name: str, dice: random.Random, longest: int) -> Iterator[list[bytes]]:
    """Mutated packets for one connection after another, each until the broker has to close it."""
    good = corpus(name)
    while True:
        burst = []
        while len(burst) < longest:
            packet = mutated(dice.choice(good), dice)
            fatal = not survives(packet)
            if fatal and dice.random() < _SPARED:
                continue
            burst.append(packet)
            if fatal:
                break
        yield burst
