"""Where clients come in: the plain listener, and beside it those that speak nothing but TLS."""

import asyncio
import logging
import ssl
from asyncio import sslproto
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from doorward.broker.addresses import PerAddress
from doorward.broker.connection import Connection
from doorward.broker.exchange import Exchange
from doorward.broker.sockets import address_of
from doorward.broker.throttle import Throttle
from doorward.broker.websocket import WebSocket
from doorward.errors import cannot_listen

_log = logging.getLogger(__name__)

_SHUTDOWN_S = 1.0  # for a client to answer our goodbye
_TOLD_AT_ONCE = 20  # handshakes that fail; then one a second
_BACKLOG = 1024  # two thousand boards come back at once after a power cut

# The largest TLS record. asyncio gives each TLS connection a read buffer of that size from its first moment on, and
# with its own 256 KiB a few thousand strangers who never finish a handshake would take a gigabyte.
sslproto.SSLProtocol.max_size = 16 * 1024


@dataclass(frozen=True, slots=True)
class Secure:
    """A listener for clients with certificates. `context` asks for one, and may be given a new chain at any time."""

    host: str
    port: int  # 0 asks for any
    context: ssl.SSLContext


@dataclass(frozen=True, slots=True)
class OverWebSocket(Secure):
    """A TLS listener for MQTT inside WebSocket messages. `origins`: the pages that browsers may come from."""

    origins: tuple[str, ...] = ()


class Listeners:
    """Every listener of one broker."""

    def __init__(self, exchange: Exchange) -> None:
        """Nothing listens before `open`."""
        self._exchange = exchange
        self._servers: list[asyncio.Server] = []
        self._handshakes: set[asyncio.Task[None]] = set()
        self._shaking = PerAddress(exchange.limits.handshakes_per_address)
        self._telling = Throttle(_TOLD_AT_ONCE, exchange.clock)
        self.failed = 0  # connections that ended before their handshake did, since the start

    async def open(self, host: str, port: int, *secure: Secure | None) -> tuple[int, ...]:
        """Take the ports and return them in order, 0 for a listener that is None. Raises PortInUse."""
        try:
            plain = await self._listen(lambda: Connection(self._exchange), host, port)
            others = [await self._listen_securely(one) for one in secure]
        except BaseException:
            self.close()
            raise
        return (plain, *others)

    async def start_serving(self) -> None:
        """From now on clients are let in."""
        for server in self._servers:
            await server.start_serving()

    def close(self) -> None:
        """Let nobody in any more, and give up the handshakes that are under way."""
        for server in self._servers:
            server.close()
        for task in tuple(self._handshakes):
            task.cancel()

    async def _listen_securely(self, secure: Secure | None) -> int:
        if secure is None:
            return 0
        exchange = self._exchange

        def client() -> asyncio.Protocol:
            connection = Connection(exchange)
            if isinstance(secure, OverWebSocket):
                return WebSocket(connection, exchange.limits, secure.origins)
            return connection

        greet = self._greet(secure.context, client)
        return await self._listen(lambda: _Doorstep(greet), secure.host, secure.port)

    async def _listen(self, protocol: Callable[[], asyncio.Protocol], host: str, port: int) -> int:
        loop = asyncio.get_running_loop()
        try:
            server = await loop.create_server(
                protocol, host, port, backlog=_BACKLOG, start_serving=False
            )
        except OSError as error:
            raise cannot_listen(error, host, port, "MQTT ") from error
        self._servers.append(server)
        actual: int = server.sockets[0].getsockname()[1]
        _log.info("MQTT listens on %s:%d", host, actual)
        return actual

    def _greet(
        self, context: ssl.SSLContext, client: Callable[[], asyncio.Protocol]
    ) -> Callable[[asyncio.Transport], None]:
        def greet(transport: asyncio.Transport) -> None:
            exchange = self._exchange
            host, _ = address_of(transport)
            if (
                len(exchange.connections) + len(self._handshakes) >= exchange.limits.connections
                or exchange.callers.is_full(host)
                or self._shaking.is_full(host)
            ):
                self.failed += 1
                transport.abort()
                return
            task = asyncio.get_running_loop().create_task(
                self._shake_hands(transport, context, client)
            )
            self._handshakes.add(task)
            self._shaking.add(host)
            task.add_done_callback(self._handshakes.discard)
            task.add_done_callback(lambda _task: self._shaking.discard(host))

        return greet

    async def _shake_hands(
        self,
        transport: asyncio.Transport,
        context: ssl.SSLContext,
        client: Callable[[], asyncio.Protocol],
    ) -> None:
        """Make it a TLS connection, and only then a client's."""
        peer = transport.get_extra_info("peername")
        early = _Early()
        secured = None
        try:
            secured = await asyncio.get_running_loop().start_tls(
                transport,
                early,
                context,
                server_side=True,
                ssl_handshake_timeout=self._exchange.limits.connect_within,
                ssl_shutdown_timeout=_SHUTDOWN_S,
            )
        except OSError as error:  # an SSLError is one, too
            self.failed += 1
            unsaid = self._telling.passes("")
            if unsaid is not None:
                _log.info("%s: closed, no TLS (%s), %d more before it", peer, error, unsaid)
        finally:
            if secured is None:
                transport.abort()
        if secured is not None and not early.lost:
            early.hand_over(secured, client())


class _Doorstep(asyncio.Protocol):
    """A TCP connection that nothing is read from until it becomes a TLS connection."""

    def __init__(self, greet: Callable[[asyncio.Transport], None]) -> None:
        self._greet = greet

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        opened = cast(asyncio.Transport, transport)
        # Somebody who is gone at once would be noticed here, where nobody cares, and not by the handshake.
        opened.pause_reading()
        self._greet(opened)


class _Early(asyncio.Protocol):
    """Holds what came together with the last word of the handshake, until there is a client to give it to."""

    def __init__(self) -> None:
        self.lost = False
        self._data = bytearray()

    def data_received(self, data: bytes) -> None:
        self._data += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True

    def hand_over(self, transport: asyncio.Transport, connection: asyncio.Protocol) -> None:
        transport.set_protocol(connection)
        connection.connection_made(transport)
        if self._data:
            connection.data_received(bytes(self._data))
