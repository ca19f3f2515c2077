"""A broker that listens for WebSockets, and what its clients say there."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from broker_support import PATIENCE, RunningBroker, running_broker, secret, topic
from tls_witness import Issuer
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from doorward.broker import Limits, OverWebSocket
from doorward.runtime.servers import tls
from doorward_core import mqtt, mqtt_stream, topics

OURS = "https://door.example:8080"
EVENTS = topic("front", topics.EVENTS)
CONTROL = topic("front", topics.CONTROL)


class Serials:
    """What a signer knows of certificates: every device may come without one, but for `bound`."""

    def __init__(self, bound: tuple[str, ...]) -> None:
        self._bound = bound

    def serial(self, name: str) -> int | None:
        return 7 if name in self._bound else None

    def is_revoked(self, serial: int) -> bool:
        return False


class Stage:
    """A broker that listens for WebSockets, and a CA that its clients trust."""

    def __init__(self, folder: Path) -> None:
        self.issuer = Issuer()
        self.served = tls.for_users(self.issuer.pem.encode())
        tls.load_chain(self.served, self.issuer.server(folder / "server.pem"))
        self.trusting = ssl.create_default_context(cadata=self.issuer.pem)
        self.site: RunningBroker

    @property
    def url(self) -> str:
        return f"wss://127.0.0.1:{self.site.broker.websocket_port}/mqtt"

    def open(self, **options: Any) -> connect:
        """A WebSocket that has not said anything yet."""
        given = {"subprotocols": ["mqtt"], "compression": None, "proxy": None, **options}
        return connect(self.url, ssl=self.trusting, server_hostname="doorward-broker", **given)

    @contextlib.asynccontextmanager
    async def raw(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A TLS connection on which the test writes HTTP itself."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1",
            self.site.broker.websocket_port,
            ssl=self.trusting,
            server_hostname="doorward-broker",
        )
        try:
            yield reader, writer
        finally:
            writer.transport.abort()


@contextlib.asynccontextmanager
async def staged(
    folder: Path, limits: Limits | None = None, bound: tuple[str, ...] = ()
) -> AsyncIterator[Stage]:
    stage = Stage(folder)
    websocket = OverWebSocket("127.0.0.1", 0, stage.served, (OURS,))
    async with running_broker(
        folder, websocket=websocket, certificates=Serials(bound), limits=limits
    ) as stage.site:
        yield stage


def hello(name: str, **options: Any) -> bytes:
    given = {"keepalive": 0, "clean": True, "will": None, **options}
    return mqtt.connect(name, given["keepalive"], given["clean"], name, secret(name), given["will"])


async def packets(link: ClientConnection, count: int) -> list[tuple[int, int, bytes]]:
    """The next packets, in however many frames they come."""
    decoder = mqtt_stream.Decoder()
    found: list[tuple[int, int, bytes]] = []
    async with asyncio.timeout(PATIENCE):
        while len(found) < count:
            data = await link.recv()
            assert isinstance(data, bytes), "the broker answers in binary frames"
            found += decoder.feed(data)
    return found


async def code_of(link: ClientConnection) -> int:
    """The code with which the broker closes."""
    async with asyncio.timeout(PATIENCE):
        with contextlib.suppress(ConnectionClosed):
            while True:
                await link.recv()
    assert link.protocol.close_rcvd is not None, "no goodbye came"
    return link.protocol.close_rcvd.code


async def until_nobody_is_connected(site: RunningBroker) -> None:
    async with asyncio.timeout(PATIENCE):
        while site.broker.status().connections:  # noqa: ASYNC110 - only the other side's kernel knows
            await asyncio.sleep(0.005)
