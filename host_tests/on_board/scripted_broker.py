# A broker that says what a test wants, and listens to every byte.

import asyncio
import os
import socket

from doorward_core import mqtt, mqtt_server


def free_port():
    # A port of the loopback that nobody listens on.
    for _ in range(100):
        port = 20000 + int.from_bytes(os.urandom(2), "big") % 40000
        listener = socket.socket()
        listener.setsockopt(1, 2, 1)
        try:
            listener.bind(socket.getaddrinfo("127.0.0.1", port)[0][-1])
            return port
        except OSError:
            pass
        finally:
            listener.close()
    raise OSError("no free port")


class Connection:
    def __init__(self, reader, writer):
        self._reader = reader
        self._writer = writer

    async def heard(self, size=2000):
        # What came in one read: b"" when the client has gone.
        return await self._reader.read(size)

    async def hear(self, *packets):
        # Exactly these bytes, and each packet in one piece.
        for packet in packets:
            came = await self.heard()
            assert came == packet, (came, packet)

    async def say(self, *packets):
        self._writer.write(b"".join(packets))
        await self._writer.drain()

    async def accept(self, session_present=False):
        # CONNECT and CONNACK: the CONNECT.
        came = await self.heard()
        await self.say(mqtt_server.connack(session_present, mqtt.ACCEPTED))
        return came

    async def gone(self):
        while await self.heard():
            pass


class Script:
    # connections: what happens on each, in their order; a failure is raised by stop().
    def __init__(self, *connections):
        self.port = free_port()
        self._left = list(connections)
        self._failure = None

    async def start(self):
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        return self

    async def _connected(self, reader, writer):
        try:
            if self._left:
                await self._left.pop(0)(Connection(reader, writer))
        except OSError:
            pass
        except Exception as error:  # noqa: BLE001 - stop() raises it
            self._failure = self._failure or error
        writer.close()
        await writer.wait_closed()

    def stop(self):
        self._server.close()
        if self._failure:
            raise self._failure
        assert not self._left, "%d connections did not come" % len(self._left)
