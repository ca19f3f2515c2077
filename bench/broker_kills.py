"""Kills a broker in the instant of a PUBACK, its subscriber being away, and counts what was lost."""

import contextlib
import random
from typing import Any

from broker_client import PAYLOAD, Broken, Who, connected, mqtt, mqtt_stream, subscribe, take
from brokers import Served

_BURST = 20  # messages that are in flight when it happens
_QUIET_S = 0.3  # after which nothing more is expected to come


def lost_at_puback(served: Served, order: dict[str, Any], kills: int, seed: int) -> dict[str, Any]:
    """Kill it that often; how often something was missing afterwards, and how many messages were."""
    dice = random.Random(seed)  # noqa: S311 - which PUBACK it is, is no secret
    rounds = lost = acknowledged = 0
    _attend(served, order, set())
    for turn in range(kills):
        promised = _killed(served, order, turn, dice.randrange(1, _BURST + 1))
        served.stop()
        served.start()
        got = _attend(served, order, promised)
        missing = len(promised - got)
        acknowledged += len(promised)
        lost += missing
        rounds += missing > 0
    return {"kills": kills, "value": rounds, "messages": acknowledged, "messages_lost": lost}


def _killed(served: Served, order: dict[str, Any], turn: int, fatal: int) -> set[bytes]:
    """Publish a burst, and kill the broker at one of its PUBACKs; the payloads that it had acknowledged."""
    bodies = [f"{turn}.{number}".encode().ljust(PAYLOAD, b".") for number in range(_BURST)]
    publisher, _ = connected(served.port, Who(*order["publisher"]), clean=True)
    with publisher:
        packets = [
            mqtt.publish(order["topic"], body, 1, packet_id=number + 1)
            for number, body in enumerate(bodies)
        ]
        publisher.sendall(b"".join(packets))
        promised = []
        for _ in range(fatal):
            answer = take(publisher, 4)
            if len(promised) == fatal - 1:
                served.kill()
            if answer[:2] != b"\x40\x02":
                raise Broken(f"{answer.hex()} instead of a PUBACK")
            promised.append(bodies[int.from_bytes(answer[2:], "big") - 1])
        # What came in the same breath was acknowledged as well.
        with contextlib.suppress(OSError, Broken):
            while True:
                promised.append(bodies[int.from_bytes(take(publisher, 4)[2:], "big") - 1])
    return set(promised)


def _attend(served: Served, order: dict[str, Any], promised: set[bytes]) -> set[bytes]:
    """Come back as the subscriber, take what waits, and leave again; the payloads that came."""
    sock, present = connected(served.port, Who(*order["subscriber"]), clean=False)
    got: set[bytes] = set()
    with sock:
        if not present:
            subscribe(sock, order["filter"], 1)
        # Its answer comes after what waited; what is missing then has a little time more.
        sock.sendall(mqtt.pingreq())
        sock.settimeout(_QUIET_S)
        decoder = mqtt_stream.Decoder()
        answered = False
        with contextlib.suppress(TimeoutError):
            while not answered or promised - got:
                data = sock.recv(65536)
                if not data:
                    raise Broken("the broker closed the connection")
                for kind, flags, body in decoder.feed(data):
                    answered = answered or kind == mqtt.PINGRESP
                    if kind == mqtt.PUBLISH:
                        _topic, packet_id, payload = mqtt.parse_publish(flags, body)
                        got.add(payload)
                        sock.sendall(mqtt.ack(mqtt.PUBACK, packet_id))
        sock.sendall(mqtt.disconnect())
    return got
