"""The load of bench/broker.py in a process of its own: reads a line of JSON on stdin, prints one on stdout.

It must not be what limits a broker, so nothing is done per packet that can be done per read. "cpu" is the part of a
core that it took; against bench/broker_sink.py, a peer that does no work, it shows how much it could ask for. Every
packet that comes back is checked for its kind, every message for its place in the order, and in the end for their
number.
"""

import json
import os
import select
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

from broker_client import PATIENCE_S, READ, Broken, away, echo, mqtt, pair, puback
from broker_crowd import crowd
from broker_packets import Messages, acks, runs

WARM_UP_S = 0.3


class End:
    """One non-blocking socket; packets go to the handler of their type as (length of each, all of a run)."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.handlers: dict[int, Callable[[int, bytes], None]] = {}
        self._rest = b""
        self._unsent = bytearray()

    def turn(self) -> None:
        """Send what was left, handle what has come."""
        if self._unsent:
            data, self._unsent = self._unsent, bytearray()
            self.write(data)
        try:
            data = self.sock.recv(READ)
        except BlockingIOError:
            return
        if not data:
            raise Broken("the broker closed the connection")
        for kind, stride, run in runs(self._rest + data):
            if not kind:
                self._rest = run
            elif kind in self.handlers:
                self.handlers[kind](stride, run)
            else:
                raise Broken(f"packets of type {kind}, which nobody asked for")

    def write(self, data: "memoryview | bytearray | bytes") -> None:
        """Send; what the kernel does not take goes out later."""
        if self._unsent:
            self._unsent += data
            return
        try:
            sent = self.sock.send(data)
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            self._unsent += data[sent:]

    def answer(self, kind: int, stride: int, run: bytes, id_at: int = 2) -> None:
        """Acknowledge every packet of a run."""
        self.write(acks(kind, run, stride, id_at))


class Stream:
    """One publisher and one subscriber with so many messages in flight, and never more.

    A message is in flight until its publisher was acknowledged and its subscriber has it, with all packets of its QoS.
    """

    def __init__(
        self, publisher: End, subscriber: End, messages: Messages, qos: int, window: int
    ) -> None:
        """Nothing is sent yet."""
        self._publisher, self._subscriber = publisher, subscriber
        self._messages, self._qos, self._window = messages, qos, window
        self.sent = 0
        self._acknowledged = 0
        self._received = 0
        self._released = 0
        last = mqtt.PUBACK if qos == 1 else mqtt.PUBCOMP
        publisher.handlers = {last: self._on_acknowledged, mqtt.PUBREC: self._on_pubrec}
        subscriber.handlers = {mqtt.PUBLISH: self._on_publish, mqtt.PUBREL: self._on_pubrel}

    @property
    def done(self) -> int:
        """Messages that are not in flight any more."""
        return min(
            self._acknowledged if self._qos else self.sent,
            self._released if self._qos == 2 else self._received,
        )

    def run(self, seconds: float) -> int:
        """Keep the window full for a time; how many messages were done in it."""
        begin, until = self.done, time.monotonic() + seconds
        while time.monotonic() < until:
            room = self._window - self.sent + self.done
            if room > 0:
                self._publisher.write(self._messages.some(self.sent, room))
                self.sent += room
            self._turn()
        return self.done - begin

    def finish(self) -> None:
        """Wait for what is in flight. Raises Broken when some of it never comes."""
        until = time.monotonic() + PATIENCE_S
        while self.done < self.sent:
            self._turn()
            if time.monotonic() > until:
                raise Broken(f"{self.sent - self.done} of {self.sent} messages never settled")

    def _turn(self) -> None:
        select.select((self._publisher.sock, self._subscriber.sock), (), (), 0.2)
        self._subscriber.turn()
        self._publisher.turn()

    def _on_publish(self, stride: int, run: bytes) -> None:
        self._received += self._messages.check(run, stride, self._received)
        if self._qos:
            kind = mqtt.PUBACK if self._qos == 1 else mqtt.PUBREC
            self._subscriber.answer(kind, stride, run, self._messages.id_at)

    def _on_pubrel(self, stride: int, run: bytes) -> None:
        self._released += len(run) // stride
        self._subscriber.answer(mqtt.PUBCOMP, stride, run)

    def _on_pubrec(self, stride: int, run: bytes) -> None:
        self._publisher.answer(mqtt.PUBREL, stride, run)

    def _on_acknowledged(self, stride: int, run: bytes) -> None:
        self._acknowledged += len(run) // stride


def throughput(order: dict[str, Any]) -> dict[str, float]:
    """Messages a second, from a publisher to a subscriber with a persistent session."""
    qos = order["qos"]
    with pair(order, qos) as (publisher, subscriber):
        messages = Messages(order["topic"], qos)
        stream = Stream(End(publisher), End(subscriber), messages, qos, order["window"])
        stream.run(WARM_UP_S)
        begin, cpu, theirs = time.monotonic(), time.process_time(), cpu_of(order["pid"])
        count = stream.run(order["seconds"])
        took, cpu = time.monotonic() - begin, time.process_time() - cpu
        theirs = cpu_of(order["pid"]) - theirs
        stream.finish()
    return {"value": count / took, "cpu": cpu / took, "broker_us": theirs * 1e6 / count}


def cpu_of(pid: int) -> float:
    """Seconds of processor time that a process has had, all its threads together."""
    with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123 - a line that the kernel makes up
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


LOADS = {"throughput": throughput, "puback": puback, "away": away, "echo": echo, "crowd": crowd}

if __name__ == "__main__":
    task = json.loads(sys.stdin.readline())
    print(json.dumps(LOADS[task["what"]](task)))
