"""MQTT inside WebSocket messages (MQTT 3.1.1, 6): what a browser can speak. `websockets` knows the frames.

A client's connection is the same as on a socket of its own: this stands in for its transport.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import CONNECTING, OPEN
from websockets.server import ServerProtocol
from websockets.typing import Origin, Subprotocol

from doorward.broker.connections.connection import Connection
from doorward.broker.limits import Limits
from doorward.errors import one_line

_SUBPROTOCOL = Subprotocol("mqtt")
_FRAMED = 5  # the longest fixed header: a frame may hold the largest packet as a whole
_REASON_SHOWN = 200


class WebSocket(asyncio.Transport, asyncio.Protocol):
    """Protocol to a TLS connection, transport to a client: unpacks frames for the one, packs them for the other.

    No compression: a small frame must not grow to a large one. A page in a browser may come if its origin is one of
    `origins`, and a program that says none, or as paho does this listener's own: no page is served there. Nothing here
    knows anybody: names and secrets follow in the CONNECT, and the time for both is one.
    """

    def __init__(self, client: Connection, limits: Limits, origins: Sequence[str]) -> None:
        """`client` is the connection that is to speak MQTT here."""
        super().__init__()
        self._client = client
        self._limits = limits
        self._inner: asyncio.Transport
        self._origins = origins
        self._protocol = ServerProtocol(
            subprotocols=[_SUBPROTOCOL],
            max_size=(None, limits.packet + _FRAMED),
        )
        self._begun = False
        self._held = 0  # bytes received since something was complete

    # --- what the network says ----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The TLS connection is there; the request for a WebSocket is its first word."""
        self._inner = cast(asyncio.Transport, transport)
        self._client.connection_made(self)

    def data_received(self, data: bytes) -> None:
        """Take frames apart. A packet may be spread over several, and one may hold several packets."""
        if self._inner.is_closing():
            return
        if not self._begun and not 65 <= data[0] <= 90:
            # Somebody who speaks MQTT without a WebSocket need not wait for a line end that never comes.
            self._client.end("the first byte is of no HTTP request")
            return
        self._begun = True
        self._protocol.receive_data(data)
        self._held += len(data)
        payload = self._events()
        if payload:
            self._client.data_received(payload)
        self._flush()
        if self._protocol.close_expected():
            self._client.end(f"WebSocket closed, {self._reason()}")
            self._inner.close()
        elif not self._client.known and self._held > 2 * self._limits.connect_packet:
            self._client.end("a first frame that is too large")
        elif self.get_write_buffer_size() > self._limits.unread:
            # Who sends pings and does not read the pongs.
            self._inner.abort()
            self._client.end("it leaves what it asked for unread")

    def pause_writing(self) -> None:
        """The client reads slower than we write."""
        self._client.pause_writing()

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._client.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed."""
        self._client.connection_lost(exc)

    # --- what the client's connection asks for ------------------------------------------------------

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send packets as one binary frame. What comes after the goodbye is dropped."""
        if self._protocol.state is OPEN:
            self._protocol.send_binary(data)
            self._flush()

    def close(self) -> None:
        """Say goodbye, then close."""
        if self._protocol.state is OPEN:
            self._protocol.send_close(CloseCode.NORMAL_CLOSURE)
            self._flush()
        self._inner.close()

    def abort(self) -> None:
        """Close without a word."""
        self._inner.abort()

    def is_closing(self) -> bool:
        """True once the connection is closed, or about to be."""
        return self._inner.is_closing()

    def pause_reading(self) -> None:
        """Leave with the client what it still sends."""
        self._inner.pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
        self._inner.resume_reading()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """When the client counts as slow."""
        self._inner.set_write_buffer_limits(high, low)

    def get_write_buffer_size(self) -> int:
        """Bytes, frame heads included, that the kernel has not taken yet."""
        return self._inner.get_write_buffer_size()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What the connection below knows: its peer, and the certificate that the peer has shown."""
        return self._inner.get_extra_info(name, default)

    # --- frames -------------------------------------------------------------------------------------

    def _events(self) -> bytes:
        """Answer the request for a WebSocket; return the payload of the frames that are complete."""
        pieces = []
        for event in self._protocol.events_received():
            self._held = 0
            if isinstance(event, Request):
                own = [f"https://{host}" for host in event.headers.get_all("Host")]
                self._protocol.origins = [None, *map(Origin, (*own, *self._origins))]
                self._protocol.send_response(self._protocol.accept(event))
            elif isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                self._protocol.fail(CloseCode.UNSUPPORTED_DATA, "MQTT travels in binary frames")
                break
            elif isinstance(event, Frame) and event.opcode in (Opcode.BINARY, Opcode.CONT):
                pieces.append(event.data)
        return b"".join(pieces)

    def _flush(self) -> None:
        # An empty piece asks for the end of the stream; the connection is closed as a whole then.
        written = b"".join(self._protocol.data_to_send())
        if written and not self._inner.is_closing():
            self._inner.write(written)

    def _reason(self) -> str:
        protocol = self._protocol
        if protocol.state is CONNECTING:
            reason = str(protocol.handshake_exc)
        elif protocol.close_rcvd is not None:
            reason = f"by the client with {protocol.close_rcvd.code}"
        else:
            reason = str(protocol.close_sent)
        return one_line(reason)[:_REASON_SHOWN]
