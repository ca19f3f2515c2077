"""An MQTT client that keeps its half of every handshake over any number of connections, as a good one does."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any

from broker_support import secret

from doorward_core import mqtt, mqtt_stream

PATIENCE = 20.0  # to tell a broker that hangs from a machine that is busy
_AGAIN_S = 0.005  # how long what waits for the disk is given before it is asked for again
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close sends RST


@dataclass(frozen=True, slots=True)
class Delivery:
    """An application message as it reached the application: a QoS 2 message once, however often it was sent."""

    topic: str
    payload: bytes
    qos: int
    retain: bool


@dataclass(frozen=True, slots=True)
class Sending:
    """A publish that is not finished."""

    packet: bytes
    payload: bytes
    qos: int
    taken: bool = False  # QoS 2: the broker said PUBREC


class Peer:
    """Publishes and receives. What it was promised and what it got survives its connections.

    `on_packet(kind)` is told of every packet before it is handled: a test that kills at the instant of an
    acknowledgement does it there. When it returns False, this packet and what follows it never arrived.
    """

    def __init__(self, name: str, *, client_id: str | None = None, password: str | None = None):
        self.name = name
        self.client_id = name if client_id is None else client_id
        self.password = secret(name) if password is None else password
        self.unfinished: dict[int, Sending] = {}
        self.promised: list[bytes] = []  # payloads whose PUBACK or PUBREC came, in that order
        self.deliveries: list[Delivery] = []
        self.on_packet: Callable[[int], bool] = lambda _kind: True
        self.acknowledges = True  # what comes in; False for one that is too slow to
        self._held: set[int] = set()  # QoS 2 messages that the broker has not released
        self._ids = 0
        self._answers: dict[tuple[int, int], asyncio.Future[bytes]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None

    # --- connections ------------------------------------------------------------------------------

    async def connect(
        self,
        port: int,
        *,
        clean: bool = False,
        will: tuple[str, bytes, bool, int] | None = None,
        keepalive: int = 0,
    ) -> tuple[bool, int]:
        """(session present, return code). What is unfinished is sent again unless the session was new (4.4).

        A connection that we still have is taken over by the new one; this waits for the broker to end it.
        """
        former, reading = self._writer, self._reading
        reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
        answer = self._expect(mqtt.CONNACK, 0)
        self._reading = asyncio.get_running_loop().create_task(self._read(reader))
        self.write(mqtt.connect(self.client_id, keepalive, clean, self.name, self.password, will))
        present, code = mqtt.parse_connack(await self._within(answer))
        if code == mqtt.ACCEPTED:
            if not present:
                self.unfinished.clear()
                self._held.clear()
            for packet_id, sending in self.unfinished.items():
                self.write(_again(packet_id, sending))
        if former is not None and reading is not None:
            async with asyncio.timeout(PATIENCE):
                await reading
            former.close()
        return present, code

    async def disconnect(self) -> None:
        """Leave in good order."""
        self.write(mqtt.disconnect())
        await self.drop()

    async def drop(self, *, reset: bool = False) -> None:
        """Close the socket as a power cut would; with `reset` as a crash would."""
        writer, self._writer = self._writer, None
        if writer is not None:
            if reset:
                sock = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                writer.transport.abort()
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        if self._reading is not None:
            await self._reading
            self._reading = None

    async def ended(self) -> None:
        """Wait until the other side has closed the connection, and take what it sent before."""
        assert self._reading is not None
        async with asyncio.timeout(PATIENCE):
            await asyncio.shield(self._reading)
        await self.drop()

    @property
    def connected(self) -> bool:
        """False once either side closed."""
        return self._reading is not None and not self._reading.done()

    @property
    def port(self) -> int:
        """Our own port, by which a trace of the broker knows us."""
        assert self._writer is not None
        number: int = self._writer.get_extra_info("sockname")[1]
        return number

    # --- requests ---------------------------------------------------------------------------------

    def publish(self, topic: str, payload: bytes, qos: int, *, retain: bool = False) -> None:
        """Send; `settle` waits for the handshakes."""
        packet_id = self._next_id() if qos else 0
        packet = mqtt.publish(topic, payload, qos, retain, False, packet_id)
        if qos:
            self.unfinished[packet_id] = Sending(packet, payload, qos)
        self.write(packet)

    async def subscribe(self, *wanted: tuple[str, int]) -> bytes:
        """The return codes."""
        packet_id = self._next_id()
        answer = self._expect(mqtt.SUBACK, packet_id)
        self.write(mqtt.subscribe(packet_id, list(wanted)))
        return (await self._within(answer))[2:]

    async def unsubscribe(self, *filters: str) -> None:
        packet_id = self._next_id()
        answer = self._expect(mqtt.UNSUBACK, packet_id)
        self.write(mqtt.unsubscribe(packet_id, list(filters)))
        await self._within(answer)

    async def ping(self) -> None:
        """One round trip: whatever the broker wrote before is here then."""
        answer = self._expect(mqtt.PINGRESP, 0)
        self.write(mqtt.pingreq())
        await self._within(answer)

    async def settle(self) -> None:
        """Return when every handshake is finished and a round trip brings nothing new."""
        async with asyncio.timeout(PATIENCE):
            while True:
                before = len(self.deliveries)
                await self.ping()
                if self.unfinished or (self._held and self.acknowledges):
                    await asyncio.sleep(_AGAIN_S)
                    continue
                if len(self.deliveries) == before:
                    return

    async def received(self, payload: bytes) -> None:
        """Return when this has come, and every handshake is finished."""
        async with asyncio.timeout(PATIENCE):
            while all(one.payload != payload for one in self.deliveries):
                await self.ping()
                await asyncio.sleep(_AGAIN_S)
        await self.settle()

    def take(self) -> list[Delivery]:
        """What came since the last call."""
        taken, self.deliveries = self.deliveries, []
        return taken

    # --- the wire ---------------------------------------------------------------------------------

    def _next_id(self) -> int:
        while True:
            self._ids = self._ids % 65535 + 1
            if self._ids not in self.unfinished:
                return self._ids

    def write(self, packet: bytes) -> None:
        """Send raw bytes, unless the connection is gone."""
        if self._writer is not None:
            self._writer.write(packet)

    def _expect(self, kind: int, packet_id: int) -> asyncio.Future[bytes]:
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        if self._reading is not None and self._reading.done():
            answer.set_exception(EOFError("the connection is closed"))
        else:
            self._answers[kind, packet_id] = answer
        return answer

    @staticmethod
    def _within(answer: asyncio.Future[bytes]) -> Coroutine[Any, Any, bytes]:
        return asyncio.wait_for(answer, PATIENCE)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        decoder = mqtt_stream.Decoder()
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                for kind, flags, body in decoder.feed(data):
                    if not self.on_packet(kind):
                        raise ConnectionResetError
                    self._handle(kind, flags, body)
        if self._reading is not asyncio.current_task():
            return  # taken over
        answers, self._answers = self._answers, {}
        for answer in answers.values():
            if not answer.done():
                answer.set_exception(EOFError("the broker closed the connection"))
                answer.exception()  # whoever waits is told; nobody need wait

    def _handle(self, kind: int, flags: int, body: bytes) -> None:
        if kind == mqtt.PUBLISH:
            self._on_publish(flags, body)
        elif kind in {mqtt.PUBACK, mqtt.PUBREC, mqtt.PUBCOMP}:
            self._on_ack(kind, mqtt.parse_ack(body))
        elif kind == mqtt.PUBREL:
            packet_id = mqtt.parse_ack(body)
            self._held.discard(packet_id)
            self.write(mqtt.ack(mqtt.PUBCOMP, packet_id))
        else:
            number = mqtt.take_id(body, 0) if kind in {mqtt.SUBACK, mqtt.UNSUBACK} else 0
            answer = self._answers.pop((kind, number), None)
            if answer is not None and not answer.done():
                answer.set_result(body)

    def _on_publish(self, flags: int, body: bytes) -> None:
        topic, packet_id, payload = mqtt.parse_publish(flags, body)
        qos = flags >> 1 & 3
        if qos != 2 or packet_id not in self._held:
            self.deliveries.append(Delivery(topic, payload, qos, bool(flags & 1)))
        if not self.acknowledges:
            return
        if qos == 1:
            self.write(mqtt.ack(mqtt.PUBACK, packet_id))
        elif qos == 2:
            self._held.add(packet_id)
            self.write(mqtt.ack(mqtt.PUBREC, packet_id))

    def _on_ack(self, kind: int, packet_id: int) -> None:
        sending = self.unfinished.get(packet_id)
        if sending is None:
            return
        if kind == mqtt.PUBREC:
            if not sending.taken:
                self.promised.append(sending.payload)
                self.unfinished[packet_id] = replace(sending, taken=True)
            self.write(mqtt.ack(mqtt.PUBREL, packet_id))
            return
        if kind == mqtt.PUBACK:
            self.promised.append(sending.payload)
        del self.unfinished[packet_id]


def _again(packet_id: int, sending: Sending) -> bytes:
    """What a client sends first when it comes back to its session: PUBREL, or the PUBLISH with DUP (4.4)."""
    if sending.taken:
        return mqtt.ack(mqtt.PUBREL, packet_id)
    return bytes([sending.packet[0] | 8]) + sending.packet[1:]
