"""uvicorn inside our own loop: our sockets, our signals, our end."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from doorward import local_socket
from doorward.errors import cannot_listen
from doorward.runtime.servers.slow_clients import ImpatientProtocol

_GRACE_S = 1
_BACKLOG = 128
_CONNECTIONS = 1000  # beyond them 503: a browser holds up to six, a live page one more


class Server(uvicorn.Server):
    """A server that leaves signals to the one who runs it."""

    def __init__(
        self, app: FastAPI, sock: socket.socket, tls: ssl.SSLContext | None = None
    ) -> None:
        """Serve `app` on a listening socket, which this takes over; over HTTPS with a context."""
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                # Any program on this machine could name the address that waits after a wrong password.
                proxy_headers=False,
                ws="none",
                http=ImpatientProtocol,
                limit_concurrency=_CONNECTIONS,
                timeout_graceful_shutdown=_GRACE_S,
            )
        )
        self.ready = asyncio.Event()
        self._app = app
        self._socket = sock
        self._tls = tls

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing: there are two of us in the process, and a broker."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        # Ours, and not made by uvicorn from files: it is given a new certificate while it serves.
        self.config.ssl = self._tls
        await super().startup(sockets)
        self.ready.set()

    async def run_until_stopped(self) -> None:
        """Serve until `stop`."""
        await self.serve([self._socket])

    def stop(self) -> None:
        """End live streams, which would never end by themselves, then the server."""
        self._app.state.streams.close()
        self.should_exit = True


def listen_tcp(host: str, port: int) -> socket.socket:
    """A listening TCP socket. Raises PortInUse, or StartupError for an address that is not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        raise cannot_listen(error, host, port) from error
    sock.setblocking(False)
    return sock


def listen_unix(path: Path) -> socket.socket:
    """A listening Unix socket that only our own user can open. What a dead gateway left there is removed."""
    sock = local_socket.listen(path)
    sock.setblocking(False)
    return sock
