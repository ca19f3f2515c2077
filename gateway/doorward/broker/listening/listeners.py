"""Where clients come in: the plain listener, and beside it those that speak nothing but TLS."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

from doorward.broker.connections.addresses import PerAddress
from doorward.broker.connections.connection import Connection
from doorward.broker.connections.exchange import Exchange
from doorward.broker.listening.handshake_problems import handshake_problem
from doorward.broker.listening.tls_listener import TlsListener
from doorward.broker.listening.tls_transport import TlsTransport
from doorward.broker.listening.websocket import WebSocket
from doorward.broker.reports.throttle import Throttle, more_before
from doorward.errors import cannot_listen

_log = logging.getLogger(__name__)

_TOLD_AT_ONCE = 20  # handshakes that fail; then one a second
_BACKLOG = 4096  # two thousand boards come back at once after a power cut, and whoever is not in line tries later


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
        self._server: asyncio.Server | None = None
        self._tls_listeners: list[TlsListener] = []
        self._shaking = PerAddress(exchange.limits.handshakes_per_address)
        self._telling = Throttle(_TOLD_AT_ONCE, exchange.clock)
        self.failed = 0  # connections that ended before their handshake did, since the start

    async def open(self, host: str, port: int, *secure: Secure | None) -> tuple[int, ...]:
        """Take the ports and return them in order, 0 for a listener that is None. Raises PortInUse."""
        try:
            plain = await self._listen(host, port)
            others = [await self._listen_securely(one) for one in secure]
        except BaseException:
            self.close()
            raise
        return (plain, *others)

    async def start_serving(self) -> None:
        """From now on clients are let in."""
        if self._server is not None:
            await self._server.start_serving()
        for tls_listener in self._tls_listeners:
            tls_listener.serve()

    def close(self) -> None:
        """Let nobody in any more, and give up the handshakes that are under way."""
        if self._server is not None:
            self._server.close()
        for tls_listener in self._tls_listeners:
            tls_listener.close()

    async def _listen(self, host: str, port: int) -> int:
        loop = asyncio.get_running_loop()
        with _taking(host, port):
            self._server = await loop.create_server(
                lambda: Connection(self._exchange),
                host,
                port,
                backlog=_BACKLOG,
                start_serving=False,
            )
        return _told(host, self._server.sockets[0].getsockname()[1])

    async def _listen_securely(self, secure: Secure | None) -> int:
        if secure is None:
            return 0
        loop = asyncio.get_running_loop()
        port = secure.port
        with _taking(secure.host, port):
            found = await loop.getaddrinfo(
                secure.host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )
            for family, _type, _protocol, _name, address in dict.fromkeys(found):
                listener = socket.create_server(
                    (str(address[0]), port), family=family, backlog=_BACKLOG
                )
                port = listener.getsockname()[1]
                self._tls_listeners.append(self._tls_listener(listener, secure))
        return _told(secure.host, port)

    def _tls_listener(self, listener: socket.socket, secure: Secure) -> TlsListener:
        exchange = self._exchange

        def opened(tls: ssl.SSLSocket) -> None:
            connection = Connection(exchange)
            if isinstance(secure, OverWebSocket):
                TlsTransport(tls, WebSocket(connection, exchange.limits, secure.origins))
            else:
                TlsTransport(tls, connection)

        return TlsListener(
            listener,
            secure.context,
            exchange.limits.connect_within,
            self._shaking,
            admits=self._admits,
            opened=opened,
            failed=self._failed,
        )

    def _admits(self, host: str) -> bool:
        exchange = self._exchange
        shaking = sum(len(tls_listener.handshakes) for tls_listener in self._tls_listeners)
        return (
            len(exchange.connections) + shaking < exchange.limits.connections
            and not exchange.callers.is_full(host)
            and not self._shaking.is_full(host)
        )

    def _failed(self, host: str, why: OSError) -> None:
        self.failed += 1
        unsaid = self._telling.passes("")
        if unsaid is not None:
            said = handshake_problem(why)
            _log.info("%s: closed, no TLS (%s)%s", host, said, more_before(unsaid))


@contextlib.contextmanager
def _taking(host: str, port: int) -> Iterator[None]:
    """Say what is wrong when a port cannot be had."""
    try:
        yield
    except OSError as error:
        raise cannot_listen(error, host, port, "MQTT ") from error


def _told(host: str, port: int) -> int:
    _log.info("MQTT listens on %s:%d", host, port)
    return port
