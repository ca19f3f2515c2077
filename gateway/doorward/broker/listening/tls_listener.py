"""Where TLS connections begin: a socket that listens, and handshakes that nobody waits for longer than they deserve."""

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import Callable

from doorward import memory
from doorward.broker.connections.addresses import PerAddress

_log = logging.getLogger(__name__)

_BATCH = 16  # connections taken at once: who has begun comes before who has not
# Handshakes that are busy; who comes then stays in the kernel's line: a crowd that is half inside takes much memory,
# and longer for each. Who has said nothing for half a second is not counted, or a few could keep everybody out.
_BUSY = 256
_BUSY_S = 0.5
_LOOK_S = 0.05
_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_CROWD = 64  # handshakes at once, after which there is memory to give back
_SETTLED_S = 1.0
_BREATH_S = 1.0  # until the next try, when there is no file left for a connection
# How often patience begins anew, as the client has said something: nobody drips for ever.
_FLIGHTS = 3

Opened = Callable[[ssl.SSLSocket], None]


class TlsListener:
    """Takes connections of one listening socket and makes them TLS connections."""

    def __init__(
        self,
        listener: socket.socket,
        context: ssl.SSLContext,
        patience: float,
        shaking: PerAddress,
        *,
        admits: Callable[[str], bool],
        opened: Opened,
        failed: Callable[[str, OSError], None],
    ) -> None:
        """`patience`: seconds for each answer of a client. `shaking` is told of each handshake, and of its end.

        `admits` is asked with a client's host, before anything costs.

        `opened` takes over what is a TLS connection; `failed` hears of everybody else, and why.
        """
        self._loop = asyncio.get_running_loop()
        self._listener = listener
        self._context = context
        self.patience = patience
        self._shaking = shaking
        self._admits = admits
        self.opened = opened
        self.failed = failed
        self.handshakes: dict[Handshake, str] = {}  # -> host
        self._most = 0  # handshakes at once, since memory was given back
        listener.setblocking(False)

    def serve(self) -> None:
        """From now on clients are let in."""
        if self._listener.fileno() >= 0:
            self._loop.add_reader(self._listener, self._accept)

    def close(self) -> None:
        """Let nobody in any more, and give up the handshakes that are under way."""
        if self._listener.fileno() >= 0:
            self._loop.remove_reader(self._listener)
            self._listener.close()
        for handshake in tuple(self.handshakes):
            handshake.give_up(ConnectionAbortedError("the broker stops"))

    def _accept(self) -> None:
        for _ in range(_BATCH):
            if self._is_busy():
                self._rest(_LOOK_S)
                return
            try:
                client, address = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _EXHAUSTED:
                    raise
                message = "no file left for a connection"
                context = {"message": message, "exception": error, "socket": self._listener}
                self._loop.call_exception_handler(context)
                self._rest(_BREATH_S)
                return
            self._begin(client, address)

    def _is_busy(self) -> bool:
        if len(self.handshakes) < _BUSY:
            return False
        since = self._loop.time() - _BUSY_S
        return sum(handshake.heard > since for handshake in self.handshakes) >= _BUSY

    def _rest(self, seconds: float) -> None:
        """Leave in line who stands there, who would be announced again at once."""
        self._loop.remove_reader(self._listener)
        self._loop.call_later(seconds, self.serve)

    def _begin(self, client: socket.socket, address: tuple[str, int]) -> None:
        host = str(address[0])
        if not self._admits(host):
            client.close()
            self.failed(host, ConnectionRefusedError("too many connections"))
            return
        try:
            client.setblocking(False)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            tls = self._context.wrap_socket(client, server_side=True, do_handshake_on_connect=False)
        except OSError as error:
            client.close()
            self.failed(host, error)
            return
        handshake = Handshake(self, tls)
        self.handshakes[handshake] = host
        self._shaking.add(host)
        self._most = max(self._most, len(self.handshakes))
        handshake.go_on()

    def forget(self, handshake: "Handshake") -> str:
        """A handshake has ended; its host."""
        host = self.handshakes.pop(handshake)
        self._shaking.discard(host)
        if self._most >= _CROWD and len(self.handshakes) * 4 <= self._most:
            self._most = len(self.handshakes)
            self._loop.call_later(_SETTLED_S, memory.give_back)
        return host


class Handshake:
    """One connection that is to become a TLS connection."""

    __slots__ = ("_deadline", "_flights", "_loop", "_tls", "_tls_listener", "heard")

    def __init__(self, tls_listener: TlsListener, tls: ssl.SSLSocket) -> None:
        """Nothing is read before `go_on`."""
        self._loop = asyncio.get_running_loop()
        self._tls_listener = tls_listener
        self._tls = tls
        self._flights = 0
        self.heard = self._loop.time()  # when the client last said something
        self._deadline = self._patience()

    def go_on(self) -> None:
        """Read what the client has said, and answer."""
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._wait()
        except ssl.SSLWantWriteError:
            self._loop.add_writer(self._tls, self.go_on)
        except (OSError, ValueError) as error:
            self.give_up(error if isinstance(error, OSError) else OSError(str(error)))
        else:
            host = self._leave()
            try:
                self._tls_listener.opened(self._tls)
            except OSError as error:
                self._tls.close()
                self._tls_listener.failed(host, error)

    def give_up(self, why: OSError) -> None:
        """Close it."""
        host = self._leave()
        self._tls.close()
        self._tls_listener.failed(host, why)

    def _wait(self) -> None:
        self._loop.remove_writer(self._tls)
        self._loop.add_reader(self._tls, self.go_on)
        self.heard = self._loop.time()
        # A crowd that comes back keeps us busy for longer than one of them may take: who goes on is not late.
        self._flights += 1
        if self._flights <= _FLIGHTS:
            self._deadline.cancel()
            self._deadline = self._patience()

    def _patience(self) -> asyncio.TimerHandle:
        late = TimeoutError("it does not finish the handshake")
        return self._loop.call_later(self._tls_listener.patience, self.give_up, late)

    def _leave(self) -> str:
        self._deadline.cancel()
        self._loop.remove_reader(self._tls)
        self._loop.remove_writer(self._tls)
        return self._tls_listener.forget(self)
