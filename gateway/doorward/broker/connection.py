"""One client's connection: bytes in, packets to the router, packets out.

A client's mistake ends its own connection, with the reason in the log, and nobody else's.
"""

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import cast

from doorward.broker import certificates
from doorward.broker.admission import Refusal, admit
from doorward.broker.exchange import Exchange
from doorward.broker.session import Session
from doorward_core import mqtt, mqtt_server, mqtt_stream

_log = logging.getLogger(__name__)

_CONNECT_HEAD = mqtt.CONNECT << 4
_HIGH_WATER = 65_536  # bytes written and not yet taken by the kernel: from here on QoS 1 waits and QoS 0 is dropped


class Connection(asyncio.Protocol):
    """Speaks MQTT 3.1.1 with one client. It is the `Link` of the session it carries."""

    def __init__(self, exchange: Exchange) -> None:
        """Wait for the CONNECT packet."""
        self._exchange = exchange
        self._decoder = mqtt_stream.Decoder(exchange.limits.packet)
        self._transport: asyncio.Transport
        self._peer = "?"
        self._shown: certificates.Shown | None = None
        self._session: Session | None = None
        self._will: tuple[str, bytes, bool, int] | None = None
        self._keepalive = 0.0
        self._heard = exchange.clock()
        self._out: list[bytes] = []
        self._out_size = 0
        self._uncommitted = 0
        self._reading = True
        self._ended = False
        self._congested = False
        self._handlers: dict[int, Callable[[Session, int, bytes], None]] = {
            mqtt.PUBLISH: self._on_publish,
            mqtt.PUBACK: self._on_puback,
            mqtt.PUBREL: self._on_pubrel,
            mqtt.SUBSCRIBE: self._on_subscribe,
            mqtt.UNSUBSCRIBE: self._on_unsubscribe,
            mqtt.PINGREQ: self._on_pingreq,
            mqtt.DISCONNECT: self._on_disconnect,
        }

    # --- asyncio ----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or turn it away when there are too many. asyncio has set TCP_NODELAY."""
        self._transport = cast(asyncio.Transport, transport)
        # For clients without keep-alive: TCP itself notices that they are gone, in the end.
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._transport.set_write_buffer_limits(high=_HIGH_WATER)
        self._peer = _address(transport.get_extra_info("peername"))
        self._shown = certificates.shown_by(transport)
        full = len(self._exchange.connections) >= self._exchange.limits.connections
        self._exchange.connections.add(self)
        if full:
            self.end("too many connections")

    def data_received(self, data: bytes) -> None:
        """Handle every whole packet, then write the answers and the deliveries with one call a client."""
        if self._session is not None:  # before CONNECT, a byte now and then buys no time
            self._heard = self._exchange.clock()
        try:
            if self._session is None and not self._decoder.pending() and data[0] != _CONNECT_HEAD:
                raise mqtt.MqttError("the first packet is no CONNECT")
            for kind, flags, body in self._decoder.feed(data):
                if self._ended:
                    break
                self._on_packet(kind, flags, body)
            if (
                self._session is None
                and self._decoder.pending() > self._exchange.limits.connect_packet
            ):
                self.end("a first packet that is too large")
        except mqtt.MqttError as error:
            self.end(str(error))
        except Exception:  # noqa: BLE001 - a bug of ours that one client reached: the others go on
            _log.exception("%s: connection closed by an error in the broker", self)
            self.end("internal error")
        self._exchange.flush()

    def pause_writing(self) -> None:
        """The client reads slower than we write."""
        self._congested = True

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._congested = False
        if self._session is not None and not self._ended:
            self._session.resume()
            self._exchange.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed."""
        self.end(f"connection lost ({exc})" if exc else "connection lost")
        self._exchange.connections.discard(self)
        self._exchange.flush()

    # --- what the session and the journal ask for ---------------------------------------------------

    @property
    def ready(self) -> bool:
        """False while enough is written for now; the session is resumed after the write."""
        return not self._congested and self._out_size < _HIGH_WATER

    @property
    def congested(self) -> bool:
        """True while the client reads slower than we write, or one event has made a heap for it."""
        return self._congested or self._out_size * 2 > self._exchange.limits.unread

    def send(self, packet: bytes) -> None:
        """Add a packet to what the next flush writes."""
        if self._ended:
            return
        if not self._out:
            self._exchange.unwritten.append(self)
        self._out.append(packet)
        self._out_size += len(packet)

    def acknowledge(self, packet: bytes) -> None:
        """Send an answer whose cause is on disk now; read on when the client had run too far ahead."""
        self._uncommitted -= 1
        self.send(packet)
        if (
            not self._reading
            and not self._ended
            and self._uncommitted * 2 < self._exchange.limits.uncommitted
        ):
            self._reading = True
            self._heard = self._exchange.clock()
            self._transport.resume_reading()

    def end(self, reason: str, *, will: bool = True) -> None:
        """Close the connection and let the session go. The will is published unless the client left in good order."""
        if not self._ended:
            self.write()
        if self._ended:
            return  # before this call, or because of that write
        self._ended = True
        _log.info("%s: closed, %s", self, reason)
        self._transport.close()
        session, self._session = self._session, None
        if session is None:
            return
        self._exchange.router.leave(session)
        if will and self._will is not None:
            topic, payload, retain, qos = self._will
            self._exchange.router.publish(
                session.principal, topic, payload, qos, retain=retain, action="will"
            )

    def write(self) -> None:
        """Write what was collected. A client that leaves a heap of it unread is dropped."""
        if not self._out or self._ended:
            return
        packets, self._out, self._out_size = self._out, [], 0
        self._transport.write(b"".join(packets))
        unread = self._transport.get_write_buffer_size()
        if unread > self._exchange.limits.unread:
            self._transport.abort()
            self.end(f"it leaves {unread} bytes unread")
        elif self._session is not None:
            self._session.resume()

    def check(self, now: float) -> None:
        """Close a connection that says nothing: before CONNECT, or for one and a half keep-alive times (3.1.2.10)."""
        limits = self._exchange.limits
        silent = now - self._heard
        if self._ended:
            # A peer that does not read would keep a closed transport for ever.
            self._transport.abort()
        elif self._session is None:
            if silent > limits.connect_within:
                self.end("no CONNECT in time")
        elif self._keepalive and self._reading and silent > self._keepalive * 1.5:
            self._transport.abort()
            self.end(
                f"nothing heard for {silent:.1f} s with a keep-alive of {self._keepalive:.0f} s"
            )

    def __repr__(self) -> str:
        """Name the client for the log, as far as it is known."""
        return f"{self._session.principal.name}@{self._peer}" if self._session else self._peer

    # --- packets ----------------------------------------------------------------------------------

    def _on_packet(self, kind: int, flags: int, body: bytes) -> None:
        session = self._session
        if session is None:
            self._on_connect(mqtt_server.parse_connect(body))
            return
        handler = self._handlers.get(kind)
        if handler is None:
            raise mqtt.MqttError(
                "a second CONNECT" if kind == mqtt.CONNECT else f"packet type {kind} from a client"
            )
        handler(session, flags, body)

    def _on_connect(self, packet: mqtt_server.Connect) -> None:
        exchange = self._exchange
        admitted = admit(packet, self._shown, exchange)
        if isinstance(admitted, Refusal):
            self.send(mqtt_server.connack(False, admitted.code))
            self.end(f"refused, {admitted.reason}")
            return
        session, present = exchange.router.open(admitted, clean=packet.clean)
        self._session = session
        self._will = packet.will
        self._keepalive = packet.keepalive
        self._heard = exchange.clock()
        _log.info("%s: connected%s", self, " to its kept session" if present else "")
        self.send(mqtt_server.connack(present, mqtt.ACCEPTED))
        session.attach(self)

    def _on_publish(self, session: Session, flags: int, body: bytes) -> None:
        topic, packet_id, payload = mqtt.parse_publish(flags, body)
        qos = flags >> 1 & 3
        if qos == 2 and packet_id in session.received:
            # Sent again because our PUBREC got lost: it was delivered already (4.3.3).
            self._answer(mqtt.ack(mqtt.PUBREC, packet_id), must_wait=not session.clean)
            return
        must_wait = self._exchange.router.publish(
            session.principal, topic, payload, qos, retain=bool(flags & 1)
        )
        if qos == 1:
            self._answer(mqtt.ack(mqtt.PUBACK, packet_id), must_wait=must_wait)
        elif qos == 2:
            session.received.add(packet_id)
            if not session.clean:
                self._exchange.journal.receive(session.principal.name, packet_id, held=True)
            self._answer(mqtt.ack(mqtt.PUBREC, packet_id), must_wait=must_wait or not session.clean)

    def _on_pubrel(self, session: Session, _flags: int, body: bytes) -> None:
        packet_id = mqtt.parse_ack(body)
        held = packet_id in session.received
        session.received.discard(packet_id)
        if held and not session.clean:
            self._exchange.journal.receive(session.principal.name, packet_id, held=False)
        self._answer(mqtt.ack(mqtt.PUBCOMP, packet_id), must_wait=held and not session.clean)

    def _on_puback(self, session: Session, _flags: int, body: bytes) -> None:
        session.acknowledged(mqtt.parse_ack(body))

    def _on_subscribe(self, session: Session, _flags: int, body: bytes) -> None:
        packet_id, wanted = mqtt_server.parse_subscribe(body)
        codes, must_wait = self._exchange.router.subscribe(session, wanted)
        self._answer(mqtt_server.suback(packet_id, codes), must_wait=must_wait)

    def _on_unsubscribe(self, session: Session, _flags: int, body: bytes) -> None:
        packet_id, filters = mqtt_server.parse_unsubscribe(body)
        must_wait = self._exchange.router.unsubscribe(session, filters)
        self._answer(mqtt.ack(mqtt.UNSUBACK, packet_id), must_wait=must_wait)

    def _on_pingreq(self, _session: Session, _flags: int, _body: bytes) -> None:
        self.send(mqtt_server.pingresp())

    def _on_disconnect(self, _session: Session, _flags: int, _body: bytes) -> None:
        self.end("it said goodbye", will=False)

    def _answer(self, packet: bytes, *, must_wait: bool) -> None:
        """Acknowledge at once, or after the commit; always in the order in which the requests came (4.6)."""
        if not must_wait and not self._uncommitted:
            self.send(packet)
            return
        self._uncommitted += 1
        self._exchange.journal.acknowledge(self, packet)
        if self._reading and self._uncommitted >= self._exchange.limits.uncommitted:
            self._reading = False
            self._transport.pause_reading()


def _address(peername: object) -> str:
    return ":".join(str(part) for part in peername[:2]) if isinstance(peername, tuple) else "local"
