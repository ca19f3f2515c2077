"""The board's half of bench/mqtt_client.py, on MicroPython: SECRET-FILE TOPIC COUNT PORT...

For each broker in turns: the firmware's client, the same PUBLISH as umqtt.simple says it, in five small writes, and in
one write. A line of numbers each: microseconds from publish() to its return. TOPIC has %s where the device's name is to
be.
"""

import asyncio
import gc
import socket
import sys
from time import ticks_diff, ticks_us

sys.path.insert(0, sys.argv[0].rsplit("/", 2)[0] + "/firmware")

from doorward_core import mqtt
from doorward_node.client import MQTTClient

SECRET, TOPIC, COUNT = sys.argv[1:4]
PAYLOAD = bytes(200)
BLOCK = 25  # publishes between two turns
PAUSE_MS = 5

with open(SECRET) as file:  # noqa: PTH123 - MicroPython has no pathlib
    secret = file.read()


class Plain:
    """A blocking socket. pieces: whether a packet goes out in umqtt's small writes, or in one."""

    def __init__(self, port, pieces):
        self._sock = socket.socket()
        self._sock.connect(socket.getaddrinfo("127.0.0.1", port)[0][-1])
        self._pieces = pieces
        self._last_id = 0
        name = "pieces" if pieces else "bare"
        self._topic = TOPIC % name
        self._sock.write(mqtt.connect(name, 0, True, name, secret))
        assert self._sock.read(4) == b"\x20\x02\x00\x00"

    async def publish(self):
        """Return when it is acknowledged."""
        self._last_id = self._last_id % 65535 + 1
        packet = mqtt.publish(self._topic, PAYLOAD, 1, False, False, self._last_id)
        at = 0
        for size in (3, 2, len(self._topic), 2, len(PAYLOAD)) if self._pieces else (len(packet),):
            self._sock.write(packet[at : at + size])
            at += size
        assert at == len(packet)
        assert self._sock.read(4) == mqtt.ack(mqtt.PUBACK, self._last_id)


class Own:
    """The firmware's client."""

    def __init__(self, port):
        self._client = MQTTClient("own", "127.0.0.1", port, "own", secret)

    async def connect(self):
        """Return when it is."""
        await self._client.connect()

    async def publish(self):
        """Return when it is acknowledged."""
        await self._client.publish(TOPIC % "own", PAYLOAD, False, 1)


async def measure(who, count):
    """Microseconds of each publish."""
    found = []
    for _ in range(count):
        began = ticks_us()
        await who.publish()
        found.append(ticks_diff(ticks_us(), began))
        await asyncio.sleep_ms(PAUSE_MS)
    return found


async def main():
    """One broker after the other."""
    for port in sys.argv[4:]:
        own = Own(int(port))
        await own.connect()
        compared = [own, Plain(int(port), True), Plain(int(port), False)]
        found = [[], [], []]
        for _ in range(int(COUNT) // BLOCK):
            for who, times in zip(compared, found):  # noqa: B905 - MicroPython's zip knows no strict
                gc.collect()
                times += await measure(who, BLOCK)
        for times in found:
            print(*times)


asyncio.run(main())
