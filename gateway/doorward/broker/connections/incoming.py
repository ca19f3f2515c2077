"""The half of a connection that reads."""

import logging
from collections.abc import Sequence

from doorward.broker.connections.entrance import Entrance
from doorward.broker.connections.exchange import Exchange
from doorward.broker.connections.outgoing import Outgoing
from doorward.broker.connections.patience import PROGRESS
from doorward.broker.connections.rates import Allowance
from doorward.broker.connections.requests import HANDLERS
from doorward.broker.keeping.answers import Answers
from doorward.broker.packets.decoder import Decoder
from doorward.broker.ports import Packet
from doorward.broker.sessions.session import Session
from doorward_core import mqtt

_log = logging.getLogger(__name__)

_MUCH = 16_384  # bytes of one read: so much need not be joined with what others say


class Incoming(Outgoing):
    """Cuts what one client says into packets, and handles them as fast as it may publish and the disk takes it."""

    def __init__(self, exchange: Exchange) -> None:
        """Nobody has been let in."""
        super().__init__(exchange)
        self.answers = Answers(exchange.journal, self, exchange.limits.uncommitted)
        self._received = exchange.counters.received
        self._decoder = Decoder(exchange.limits.packet)
        self._entrance: Entrance | None = None  # until it is let in
        self._session: Session | None = None  # from then on
        self._heard = exchange.clock()
        self._seen = 0  # bytes of an unfinished packet, when the client was heard last
        self._reading = True  # False: the disk has to catch up first
        self._allowance: Allowance | None = None
        self._backlog: list[Packet] = []  # waits until its principal may publish again

    def data_received(self, data: bytes) -> None:
        """Handle every whole packet, then write the answers and the deliveries with one call a client."""
        self.exchange.counters.bytes_received += len(data)
        entrance = self._entrance
        try:
            if entrance is not None and not self._decoder.pending():
                entrance.check(data)
            packets = self._decoder.feed(data)
        except mqtt.MqttError as error:
            self.end(str(error))
        else:
            if packets or self._decoder.pending() >= self._seen + PROGRESS:
                self._seen = self._decoder.pending()
                if self._session is not None:  # before that, nothing buys time
                    self._heard = self.exchange.clock()
            self._take(packets)
            entrance = self._entrance
            if self._decoder.broken is not None:
                self.end(str(self._decoder.broken))
            elif entrance is not None and entrance.holds_too_much(self._decoder.pending()):
                self.end("more than a first packet may hold")
        if len(data) < _MUCH:
            self.exchange.flush_soon()
        else:
            self.exchange.flush()

    def wait(self) -> None:
        """Read nothing more: the disk has to catch up first."""
        if self._reading:
            self._reading = False
            self._transport.pause_reading()

    def go_on(self) -> None:
        """Read on, if it was the disk that we waited for."""
        if not self._reading and not self._ended:
            self._reading = True
            self._read_on()

    def _take(self, packets: list[Packet]) -> None:
        """Handle packets now, or when their principal may publish again."""
        if self._backlog:
            self._backlog += packets  # what TLS had already decrypted
        elif (
            self._session is None
            or self._allowance is None
            or self._ended
            or self._allowance.takes(packets)
        ):
            self._handle(packets)
        else:
            self.exchange.rates.hold(self._session.principal)
            self._backlog = packets
            self._transport.pause_reading()

    def _read_on(self) -> None:
        """Read again, unless there is another reason not to."""
        if self._reading and not self._backlog and not self._ended:
            self._heard = self.exchange.clock()
            self._transport.resume_reading()

    def _handle(self, packets: Sequence[Packet]) -> None:
        try:
            if self._session is not None:
                self._serve(self._session, packets)
            else:
                self._open_with(packets)
        except mqtt.MqttError as error:
            self.end(str(error))
        except Exception:  # noqa: BLE001 - a bug of ours that one client reached: the others go on
            _log.exception("%s: connection closed by an error in the broker", self)
            self.end("internal error")
        self.answers.close()

    def _serve(self, session: Session, packets: Sequence[Packet]) -> None:
        received, handlers = self._received, HANDLERS
        for kind, flags, body in packets:
            head = kind << 4 | flags
            received[head] += 1
            handlers[head](self, session, flags, body)
            if self._ended:
                break

    def _open_with(self, packets: Sequence[Packet]) -> None:
        """The CONNECT of somebody who has not been let in, and what comes behind it."""
        for number, packet in enumerate(packets, 1):
            if self._ended or self._entrance is None:
                break
            self._received[packet[0] << 4 | packet[1]] += 1
            self._entrance.take(packet)
            if self._session is not None:
                self._take(list(packets[number:]))
                break
