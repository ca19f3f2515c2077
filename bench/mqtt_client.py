"""QoS 1 publish to PUBACK of the board's MQTT client: one JSON line, real MicroPython over the loopback.

"qos1_p50_ms": doorward's client at doorward's broker, which commits every message before it acknowledges: the gateway
that it is for is away. "multi_write_p50_ms": the same PUBLISH in the same run as umqtt.simple says it, in five small
writes. "bare_p50_ms": the same bytes in one write on a blocking socket, no client at all. The three again against who
acknowledges at once and does nothing else: "immediate_…". "client_p50_ms" is what the client itself costs: immediate,
own less bare. Blocks of 25 take turns.
"""

import argparse
import asyncio
import json
import os
import secrets
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median, quantiles

import paho.mqtt.client as paho
from brokers import Doorward
from paho.mqtt.enums import CallbackAPIVersion

from doorward_core import mqtt, mqtt_server, mqtt_stream, topics

HERE = Path(__file__).parent
GATEWAY = "gateway"
BOARDS = ("own", "pieces", "bare")
TOPIC = topics.device_topic(topics.BASE, "%s", "telemetry/metrics")
PATIENCE_S = 300.0
_SUBSCRIBED_S = 10.0
_MORE_S = 0.5  # for what should not come


class Immediate(asyncio.Protocol):
    """Acknowledges whatever comes, at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._decoder = mqtt_stream.Decoder()

    def data_received(self, data: bytes) -> None:
        for kind, flags, body in self._decoder.feed(data):
            if kind == mqtt.CONNECT:
                self._transport.write(mqtt_server.connack(False, mqtt.ACCEPTED))
            elif kind == mqtt.PUBLISH:
                packet_id = mqtt.parse_publish(flags, body)[1]
                self._transport.write(mqtt.ack(mqtt.PUBACK, packet_id))


class KeptGateway:
    """Whom the messages are for. It is away while they are said, so the broker has to keep each of them on disk."""

    def __init__(self, port: int, secret: str) -> None:
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=GATEWAY, clean_session=False
        )
        self._client.username_pw_set(GATEWAY, secret)
        self.ready = threading.Event()
        self.came = 0
        self._client.on_connect = lambda *_: self._client.subscribe(TOPIC % "+", qos=1)
        self._client.on_subscribe = lambda *_: self.ready.set()
        self._client.on_message = self._count
        self._port = port

    def _count(self, *_: object) -> None:
        self.came += 1

    def subscribe(self) -> bool:
        """Subscribe and leave; whether that worked."""
        self._come()
        subscribed = self.ready.wait(_SUBSCRIBED_S)
        self._leave()
        return subscribed

    def fetch(self, count: int) -> int:
        """Come back for so many messages; how many came."""
        self._come()
        until = time.monotonic() + PATIENCE_S
        while self.came < count and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(_MORE_S)
        self._leave()
        return self.came

    def _come(self) -> None:
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()

    def _leave(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@asynccontextmanager
async def immediate() -> AsyncIterator[int]:
    """The port of who acknowledges at once."""
    server = await asyncio.get_running_loop().create_server(Immediate, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def run_board(folder: Path, secret: str, count: int, ports: list[int]) -> list[list[float]]:
    """The milliseconds of each publish: own, in pieces, bare; for one port after the other."""
    (folder / "secret").write_text(secret)
    interpreter = Path(sys.executable).with_name("micropython")
    arguments = [str(folder / "secret"), TOPIC, str(count), *map(str, ports)]
    process = await asyncio.create_subprocess_exec(
        str(interpreter),
        str(HERE / "mqtt_client_board.py"),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "MICROPYPATH": ".frozen"},
    )
    try:
        told, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode:
        raise SystemExit("bench: the board failed:\n" + told.decode())
    return [[int(word) / 1000 for word in line.split()] for line in told.splitlines()]


async def measure(folder: Path, count: int) -> dict[str, float]:
    """Run everything in `folder` and return the figures."""
    secret = secrets.token_hex(32)
    known = dict.fromkeys((GATEWAY, *BOARDS), secret)
    served = Doorward(folder / "broker", known, topics.BASE)
    served.start()
    try:
        gateway = KeptGateway(served.port, secret)
        if not await asyncio.to_thread(gateway.subscribe):
            raise SystemExit("bench: the gateway could not connect")
        async with immediate() as at_once:
            found = await run_board(folder, secret, count, [served.port, at_once])
        came = await asyncio.to_thread(gateway.fetch, 3 * count)
        assert came == 3 * count, f"{came} of {3 * count} messages came"
    finally:
        served.stop()
    own, pieces, bare, own_at_once, pieces_at_once, bare_at_once = found
    figures = {
        "qos1_p50_ms": median(own),
        "qos1_p99_ms": quantiles(own, n=100)[-1],
        "multi_write_p50_ms": median(pieces),
        "bare_p50_ms": median(bare),
        "immediate_qos1_p50_ms": median(own_at_once),
        "immediate_multi_write_p50_ms": median(pieces_at_once),
        "immediate_bare_p50_ms": median(bare_at_once),
        "client_p50_ms": median(own_at_once) - median(bare_at_once),
    }
    return {name: round(value, 3) for name, value in figures.items()}


def main() -> None:
    """Measure, and print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one line of JSON, without indentation")
    parser.add_argument("--count", type=int, default=500, help="publishes of each kind")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(measure(Path(folder), options.count))
    print(json.dumps(figures, indent=None if options.json else 2))


if __name__ == "__main__":
    main()
