"""What every load of bench/broker.py begins with: a client that was let in, and one message at a time over it."""

import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from select import POLLIN, poll
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "firmware"))

from doorward_core import mqtt, mqtt_server, mqtt_stream

PAYLOAD = 100  # bytes
PATIENCE_S = 20.0
READ = 1 << 18
_GONE_S = 0.2  # until a broker has noticed that somebody left
PAUSE_S = 0.002  # between two single messages: boards do not speak in one breath


class Broken(Exception):
    """A broker did what it must not, or nothing at all."""


@dataclass(frozen=True)
class Who:
    """A client, as a broker knows it."""

    name: str
    secret: str


@contextmanager
def pair(order: dict[str, Any], qos: int) -> Iterator[tuple[socket.socket, socket.socket]]:
    """The sockets of a publisher and of a subscriber with a persistent session, who has subscribed."""
    listener = Who(*order["subscriber"])
    with ExitStack() as stack:
        # Whatever an earlier run left behind is forgotten.
        cleaner, _ = connected(order["port"], listener, clean=True)
        with cleaner:
            cleaner.sendall(mqtt.disconnect())
            while cleaner.recv(READ):
                pass
        subscriber, _ = connected(order["port"], listener, clean=False)
        stack.enter_context(subscriber)
        subscribe(subscriber, order["filter"], qos)
        publisher, _ = connected(order["port"], Who(*order["publisher"]), clean=True)
        stack.enter_context(publisher)
        yield publisher, subscriber


def connected(port: int, who: Who, *, clean: bool) -> tuple[socket.socket, bool]:
    """A blocking socket whose CONNECT was accepted, and whether its session was there before."""
    sock = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.sendall(mqtt.connect(who.name, 60, clean, who.name, who.secret))
    answer = take(sock, 4)
    if answer[:2] != b"\x20\x02" or answer[3] != mqtt.ACCEPTED:
        raise Broken(f"{who.name}: CONNACK {answer.hex()}")
    return sock, bool(answer[2])


def subscribe(sock: socket.socket, topic_filter: str, qos: int) -> None:
    """SUBSCRIBE, and the granted QoS is the one that was asked for."""
    sock.sendall(mqtt.subscribe(1, [(topic_filter, qos)]))
    answer = take(sock, 5)
    if answer != mqtt_server.suback(1, [qos]):
        raise Broken(f"SUBACK {answer.hex()}")


def take(sock: socket.socket, size: int) -> bytes:
    """Exactly that many bytes."""
    data = b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            raise Broken("the broker closed the connection")
        data += more
    return data


class Talk:
    """Two clients that take turns: every packet goes to the handler of who got it."""

    def __init__(self, *ends: tuple[socket.socket, Callable[[int, bytes], bytes]]) -> None:
        """A handler takes type and body of a packet and returns what is to be answered."""
        self._poll = poll()
        self._ends = {}
        for sock, handler in ends:
            self._poll.register(sock, POLLIN)
            self._ends[sock.fileno()] = sock, handler, mqtt_stream.Decoder()

    def until(self, done: Callable[[], bool]) -> None:
        """Handle what comes until it is enough."""
        while not done():
            ready = self._poll.poll(PATIENCE_S * 1000)
            if not ready:
                raise Broken("the broker says nothing any more")
            for number, _ in ready:
                sock, handler, decoder = self._ends[number]
                data = sock.recv(READ)
                if not data:
                    raise Broken("the broker closed the connection")
                answers = [handler(kind, body) for kind, _, body in decoder.feed(data)]
                if any(answers):
                    sock.sendall(b"".join(answers))


def puback(order: dict[str, Any]) -> dict[str, float]:
    """Milliseconds from PUBLISH to PUBACK, a message at a time; the subscriber gets and acknowledges each."""
    acknowledged: list[int] = []
    received = 0

    def publishers(kind: int, body: bytes) -> bytes:
        acknowledged.append(time.monotonic_ns())
        return b""

    def subscribers(kind: int, body: bytes) -> bytes:
        nonlocal received
        received += 1
        return mqtt.ack(mqtt.PUBACK, body_id(body))

    with pair(order, 1) as (publisher, subscriber):
        talk = Talk((publisher, publishers), (subscriber, subscribers))
        begun = []
        until = time.monotonic() + order["seconds"]
        while time.monotonic() < until:
            packet = mqtt.publish(order["topic"], bytes(PAYLOAD), 1, packet_id=len(begun) + 1)
            begun.append(time.monotonic_ns())
            publisher.sendall(packet)
            talk.until(lambda: len(acknowledged) == received == len(begun))
            time.sleep(PAUSE_S)
    return _summary(begun, acknowledged)


def away(order: dict[str, Any]) -> dict[str, float]:
    """Milliseconds from PUBLISH to PUBACK, a message at a time; the subscriber is away, so that each has to be kept."""
    begun: list[int] = []
    acknowledged: list[int] = []
    with pair(order, 1) as (publisher, subscriber):
        subscriber.close()
        time.sleep(_GONE_S)
        until = time.monotonic() + order["seconds"]
        while time.monotonic() < until:
            packet = mqtt.publish(order["topic"], bytes(PAYLOAD), 1, packet_id=len(begun) + 1)
            begun.append(time.monotonic_ns())
            publisher.sendall(packet)
            take(publisher, 4)
            acknowledged.append(time.monotonic_ns())
            time.sleep(PAUSE_S)
    return _summary(begun, acknowledged)


def echo(order: dict[str, Any]) -> dict[str, float]:
    """Milliseconds of a QoS 1 question and its QoS 1 answer between two clients, who acknowledge what they get."""
    begun: list[int] = []
    answered: list[int] = []
    acknowledged = 0

    def asker(kind: int, body: bytes) -> bytes:
        nonlocal acknowledged
        if kind == mqtt.PUBLISH:
            answered.append(time.monotonic_ns())
            return mqtt.ack(mqtt.PUBACK, body_id(body))
        acknowledged += 1
        return b""

    def answerer(kind: int, body: bytes) -> bytes:
        nonlocal acknowledged
        if kind == mqtt.PUBLISH:
            answer = mqtt.publish(order["answers"], bytes(PAYLOAD), 1, packet_id=len(begun))
            return answer + mqtt.ack(mqtt.PUBACK, body_id(body))
        acknowledged += 1
        return b""

    with pair(order, 1) as (publisher, subscriber):
        subscribe(publisher, order["answers"], 1)
        talk = Talk((publisher, asker), (subscriber, answerer))
        until = time.monotonic() + order["seconds"]
        while time.monotonic() < until:
            packet = mqtt.publish(order["topic"], bytes(PAYLOAD), 1, packet_id=len(begun) + 1)
            begun.append(time.monotonic_ns())
            publisher.sendall(packet)
            talk.until(lambda: acknowledged == 2 * len(begun) == 2 * len(answered))
            time.sleep(PAUSE_S)
    return _summary(begun, answered)


def body_id(body: bytes) -> int:
    """The packet identifier of a PUBLISH of QoS 1 or 2."""
    at = 2 + int.from_bytes(body[:2], "big")
    return int.from_bytes(body[at : at + 2], "big")


def _summary(begun: list[int], ended: list[int]) -> dict[str, float]:
    return {"value": median(ended[i] - begun[i] for i in range(len(begun))) / 1e6}
