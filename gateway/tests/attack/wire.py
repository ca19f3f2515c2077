"""The wire between boards and gateway, owned by the attacker: to a board it looks like its broker."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from doorward_core import mqtt, mqtt_server, topic_tree, topics
from doorward_core.mqtt_stream import Decoder

_PATIENCE_S = 20.0
_KEPT = 4000


class Said(NamedTuple):
    """One message as it was really said. up: by a board."""

    up: bool
    device: str
    suffix: str
    payload: bytes
    retain: bool = False


class _Line(asyncio.Protocol):
    """One board's connection."""

    def __init__(self, wire: "Wire") -> None:
        self._wire = wire
        self._decoder = Decoder()
        self._will: tuple[str, bytes, bool, int] | None = None
        self._last_id = 0
        self.device = ""
        self.unacked: set[int] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._wire.bytes_said += data
        for kind, flags, body in self._decoder.feed(data):
            self._take(kind, flags, body)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._wire.lines.get(self.device) is self:
            del self._wire.lines[self.device]
        if self._will:
            self._wire.hear(self._will[0], self._will[1], self._will[2])
        self.unacked.clear()

    def send(self, topic: str, payload: bytes, retain: bool, dup: bool) -> None:
        self._last_id = self._last_id % 65535 + 1
        self.unacked.add(self._last_id)
        self._transport.write(mqtt.publish(topic, payload, 1, retain, dup, self._last_id))

    def cut(self) -> None:
        self._transport.abort()

    def _take(self, kind: int, flags: int, body: bytes) -> None:
        if kind == mqtt.CONNECT:
            packet = mqtt_server.parse_connect(body)
            self.device, self._will = packet.client_id, packet.will
            self._wire.lines[self.device] = self
            self._transport.write(mqtt_server.connack(False, mqtt.ACCEPTED))
        elif kind == mqtt.SUBSCRIBE:
            packet_id, wanted = mqtt_server.parse_subscribe(body)
            self._transport.write(mqtt_server.suback(packet_id, [1] * len(wanted)))
            self._wire.subscribed(self.device)
        elif kind == mqtt.PUBLISH:
            topic, packet_id, payload = mqtt.parse_publish(flags, body)
            if packet_id:
                self._transport.write(mqtt.ack(mqtt.PUBACK, packet_id))
            self._wire.hear(topic, payload, bool(flags & 1))
        elif kind == mqtt.PUBACK:
            self.unacked.discard(mqtt.parse_ack(body))
        elif kind == mqtt.PINGREQ:
            self._transport.write(mqtt_server.pingresp())


class Wire:
    """Everything that is said goes through `passes`; what it refuses is withheld, and all of it is kept.

    to_gateway(said) delivers to the gateway. `kept` is what a thief of messages has to work with, newest last.
    """

    def __init__(self, base: str, to_gateway: Callable[[Said], None]) -> None:
        self._base = base
        self._to_gateway = to_gateway
        self.lines: dict[str, _Line] = {}
        self.kept: deque[Said] = deque(maxlen=_KEPT)
        self.withheld: list[Said] = []
        self.bytes_said = bytearray()
        self.passes: Callable[[Said], bool] = lambda _said: True
        self.listeners: list[Callable[[Said], None]] = []
        self._retained: dict[tuple[str, str], bytes] = {}

    async def start(self) -> int:
        """Listen on a free port of the loopback, and return it."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Line(self), "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        self._server.close()
        for line in list(self.lines.values()):
            line.cut()
        await asyncio.sleep(0)

    # --- what is really said ---

    def hear(self, topic: str, payload: bytes, retain: bool) -> None:
        """A board says something."""
        found = topic_tree.parse(self._base, topic)
        if found is not None:
            self._pass_on(Said(True, *found, payload, retain))

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """The gateway says something (app.ports.Publisher)."""
        found = topic_tree.parse(self._base, topic)
        assert found is not None
        self.bytes_said += payload
        if retain:
            self._retained[found] = payload
        self._pass_on(Said(False, *found, payload, retain))

    def start_over(self) -> None:
        raise AssertionError("the gateway's store failed")

    def subscribed(self, device: str) -> None:
        """A board has come back: what is retained for it, as any broker does."""
        config = self._retained.get((device, topics.CONFIG))
        if config:
            self._pass_on(Said(False, device, topics.CONFIG, config, True))

    def _pass_on(self, said: Said) -> None:
        if said.payload:
            self.kept.append(said)
        for listener in self.listeners:
            listener(said)
        if self.passes(said):
            self.deliver(said)
        else:
            self.withheld.append(said)

    # --- what the attacker does ---

    def deliver(self, said: Said) -> None:
        """Hand something over, true or not."""
        if said.up:
            self._to_gateway(said)
        else:
            self.send(said.device, said.suffix, said.payload, retain=said.retain)

    def send(
        self,
        device: str,
        suffix: str,
        payload: bytes,
        *,
        retain: bool = False,
        dup: bool = False,
        topic: str | None = None,
    ) -> None:
        """Publish to a board if it is connected."""
        line = self.lines.get(device)
        if line is not None:
            topic = topic or topics.device_topic(self._base, device, suffix)
            line.send(topic, payload, retain, dup)

    def take_withheld(self, suffix: str) -> list[Said]:
        """What was withheld on one leaf; it is forgotten here."""
        found = [said for said in self.withheld if said.suffix == suffix]
        self.withheld = [said for said in self.withheld if said.suffix != suffix]
        return found

    async def drained(self, device: str) -> None:
        """Return when the board has worked off everything sent to it: it takes messages in their order."""
        async with asyncio.timeout(_PATIENCE_S):
            while (line := self.lines.get(device)) is not None and line.unacked:  # noqa: ASYNC110 - watched from outside
                await asyncio.sleep(0.001)

    def cut(self, device: str) -> None:
        """Break a board's connection."""
        if device in self.lines:
            self.lines[device].cut()
