"""A broker that is odd in the way that a client's id names; it speaks to who is tested for good manners."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from doorward_core import mqtt, mqtt_server, mqtt_stream

LONG = 70_000


class Odd:
    """One connection. Each read is one piece of a packet: its client waits for every answer."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._decoder = mqtt_stream.Decoder()
        self._ids: list[int] = []
        self._pieces: list[int] = []
        self._reads = 0
        self._held = 0
        self.name = ""

    async def run(self) -> None:
        while data := await self._reader.read(65536):
            self._reads += 1
            for kind, _flags, body in self._decoder.feed(data):
                if not await self._answer(kind, _flags, body):
                    return
                self._reads = 0
            await self._writer.drain()

    def _say(self, packet: bytes) -> None:
        self._writer.write(packet)

    async def _answer(self, kind: int, flags: int, body: bytes) -> bool:
        """Whether the connection goes on."""
        if kind == mqtt.CONNECT:
            self.name = mqtt_server.parse_connect(body).client_id
            code = mqtt.BAD_LOGIN if self.name == "refused" else mqtt.ACCEPTED
            self._say(mqtt_server.connack(False, code))
        elif kind == mqtt.SUBSCRIBE:
            packet_id, wanted = mqtt_server.parse_subscribe(body)
            code = mqtt.REFUSED if self.name == "unheard" else 1
            self._say(mqtt_server.suback(packet_id, [code] * len(wanted)))
            if self.name == "runs":
                self._say(mqtt.publish("said", b"welcome"))
                await self._writer.drain()
                await asyncio.sleep(0.1)
                return False
        elif kind == mqtt.PUBLISH:
            return await self._published(flags, body)
        elif kind == mqtt.PINGREQ and self.name != "deaf":
            self._say(mqtt_server.pingresp())
        return kind != mqtt.DISCONNECT

    async def _published(self, flags: int, body: bytes) -> bool:
        topic, packet_id, _ = mqtt.parse_publish(flags, body)
        self._ids.append(packet_id)
        self._pieces.append(self._reads)
        ack = mqtt.ack(mqtt.PUBACK, packet_id)
        whole = mqtt.publish("said", b"x" * 100, 1, False, False, 9)
        if topic == "report":
            self._report()
        elif topic == "hold":
            self._held = packet_id
            return True
        elif self.name == "closes":
            return False
        elif self.name == "cuts":
            self._say(whole[:50])
            return False
        elif self.name == "garbage":
            self._say(b"\x30\xff\xff\xff\xff\x01" + bytes(range(256)))
            return False
        elif self.name == "wrong":
            self._say(b"\x40\x03\x00\x01\x00")
            return True
        elif self.name == "mute":
            return True
        elif self.name == "foreign":
            for other in (packet_id + 1, 65535):
                self._say(mqtt.ack(mqtt.PUBACK, other))
            await self._writer.drain()
            await asyncio.sleep(0.2)
        self._say(ack)
        return True

    def _report(self) -> None:
        said = {
            "counts": " ".join(map(str, self._ids)),
            "pieces": " ".join(map(str, self._pieces)),
            "foreign": "waited",
            "holds": f"{len(self._ids)} messages, {len(set(self._ids))} identifiers"
            f" from {min(self._ids)} to {max(self._ids)}, held {self._ids.count(self._held)}",
            "long": "short",
        }
        if self.name == "long":
            for qos in (0, 1):
                self._say(mqtt.publish("said", b"x" * LONG, qos, False, False, 7 if qos else 0))
        self._say(mqtt.publish("said", said.get(self.name, "").encode()))


@contextlib.asynccontextmanager
async def odd_broker() -> AsyncIterator[int]:
    """Its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, mqtt.MqttError):
            await Odd(reader, writer).run()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
