"""A TLS connection that costs little more than OpenSSL itself.

asyncio's own keeps two transports, two buffers and the other end's certificate as a dictionary for each connection:
more than OpenSSL needs, and every record is copied between them. A thousand boards that say something now and then are
mostly that memory. Here OpenSSL reads and writes the socket itself.
"""

import asyncio
import contextlib
import ssl
from typing import Any, cast

_RECORD = 16_384  # the largest that TLS knows
_RECORDS = 16  # read at once; then the others have their turn
_HIGH_WATER = 65_536

_WAITS = (ssl.SSLWantReadError, ssl.SSLWantWriteError)

# What was read is copied from here at once, so one place is enough for all connections.
_scratch = bytearray(_RECORD)


class TlsTransport(asyncio.Transport):
    """An asyncio transport over a non-blocking SSLSocket whose handshake is done."""

    __slots__ = (
        "_closing",
        "_high",
        "_loop",
        "_paused",
        "_protocol",
        "_reading",
        "_tls",
        "_unsent",
    )

    def __init__(self, tls: ssl.SSLSocket, protocol: asyncio.Protocol) -> None:
        """Tell `protocol` of the connection, then of what comes over it."""
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._tls = tls
        self._protocol = protocol
        self._unsent = bytearray()
        self._high = _HIGH_WATER
        self._paused = False
        self._closing = False
        self._reading = False
        protocol.connection_made(self)
        self.resume_reading()

    # --- what the protocol asks for -----------------------------------------------------------------

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send now what the kernel takes, the rest when it takes more. What comes after `close` is dropped."""
        if self._closing:
            return
        if not self._unsent:
            sent = self._send(data)
            if sent == len(data) or self._closing:
                return
            data = data[sent:]
            self._loop.add_writer(self._tls, self._on_writable)
        self._unsent += data
        if len(self._unsent) > self._high and not self._paused:
            self._paused = True
            self._protocol.pause_writing()

    def close(self) -> None:
        """Send what was written, say goodbye, close; nobody waits for the answer."""
        if self._closing:
            return
        self.pause_reading()
        self._closing = True
        if not self._unsent:
            self._say_goodbye()

    def abort(self) -> None:
        """Close without a word."""
        self._lose(None)

    def is_closing(self) -> bool:
        """True once the connection is closed, or about to be."""
        return self._closing

    def pause_reading(self) -> None:
        """Leave with the client what it still sends."""
        if self._reading:
            self._reading = False
            self._loop.remove_reader(self._tls)

    def resume_reading(self) -> None:
        """Read on."""
        if not self._reading and not self._closing:
            self._reading = True
            self._loop.add_reader(self._tls, self._on_readable)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """When the client counts as slow, in bytes; it counts as quick again at a quarter of it."""
        self._high = _HIGH_WATER if high is None else high

    def get_write_buffer_size(self) -> int:
        """Bytes that the kernel has not taken yet."""
        return len(self._unsent)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """`socket`, `ssl_object`, `peername` and `peercert`, made when it is asked for."""
        if name in {"socket", "ssl_object"}:
            return self._tls
        if name == "peercert":
            return self._tls.getpeercert()
        if name == "peername":
            try:
                return self._tls.getpeername()
            except OSError:
                return default  # gone already
        return default

    # --- what the socket says -----------------------------------------------------------------------

    def _on_readable(self) -> None:
        pieces: list[bytearray] = []
        ended = False
        try:
            while len(pieces) < _RECORDS and not ended:
                size = cast(int, self._tls.read(_RECORD, _scratch))
                pieces.append(_scratch[:size])
                ended = not size
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLWantWriteError:
            # OpenSSL has to say something of its own first; until then there is nothing to read.
            self._loop.remove_reader(self._tls)
            self._loop.add_writer(self._tls, self._on_writable)
        except OSError as error:  # an SSLError is one, too
            self._lose(error)
            return
        data = b"".join(pieces)
        if data:
            self._protocol.data_received(data)
        if ended:
            self.close()

    def _on_writable(self) -> None:
        sent = self._send(self._unsent)
        if self._tls.fileno() < 0:
            return
        del self._unsent[:sent]
        if not self._unsent:
            self._loop.remove_writer(self._tls)
            if self._closing:
                self._say_goodbye()
                return
        if self._reading:
            self._loop.add_reader(self._tls, self._on_readable)
        if self._paused and len(self._unsent) * 4 <= self._high:
            self._paused = False
            self._protocol.resume_writing()

    def _send(self, data: bytes | bytearray | memoryview) -> int:
        """Give OpenSSL what the kernel takes now; how many bytes that was."""
        sent = 0
        failed = None
        with memoryview(data) as view:
            try:
                while sent < len(data):
                    sent += self._tls.send(view[sent:])
            except _WAITS:
                pass
            except OSError as error:
                failed = error
        if failed is not None:
            self._lose(failed)
        return sent

    def _say_goodbye(self) -> None:
        # It waits for the answer with an error, or there is nobody to say it to.
        with contextlib.suppress(OSError, ValueError):
            self._tls.unwrap()
        self._lose(None)

    def _lose(self, error: Exception | None) -> None:
        """Let go of the socket, once; the protocol hears of it soon."""
        if self._tls.fileno() < 0:
            return
        self._closing = True
        self._reading = False
        self._loop.remove_reader(self._tls)
        self._loop.remove_writer(self._tls)
        self._unsent = bytearray()
        self._tls.close()
        self._loop.call_soon(self._protocol.connection_lost, error)
