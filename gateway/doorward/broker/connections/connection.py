"""One client's connection: how it begins, how it is let in, how it ends.

A client's mistake ends its own connection, with the reason in the log, and nobody else's.
"""

import asyncio
import logging
from typing import cast

from doorward.broker.connections.admission import Entry
from doorward.broker.connections.entrance import Entrance
from doorward.broker.connections.exchange import Exchange
from doorward.broker.connections.incoming import Incoming
from doorward.broker.connections.opening import Opening
from doorward.broker.connections.outgoing import HIGH_WATER
from doorward.broker.connections.patience import overdue
from doorward.broker.connections.sockets import address_of, is_gone, stay_alive
from doorward.broker.identity import certificates
from doorward.broker.identity.ports import Refusal
from doorward.broker.ports import Packet
from doorward.broker.reports.log import CONNECT, DISCONNECT, REFUSED
from doorward.broker.sessions.session import Session
from doorward_core import mqtt, mqtt_server

_log = logging.getLogger(__name__)


class Connection(Incoming):
    """Speaks MQTT 3.1.1 with one client. It is the `Link` of the session it carries."""

    def __init__(self, exchange: Exchange) -> None:
        """Wait for the CONNECT packet."""
        super().__init__(exchange)
        self._host, self._peer = "", "?"
        self._opening: Opening | None = None
        self._will: tuple[str, bytes, bool, int] | None = None
        self._keepalive = 0.0

    # --- asyncio ----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or turn it away when there are too many. asyncio has set TCP_NODELAY."""
        self._transport = cast(asyncio.Transport, transport)
        stay_alive(transport.get_extra_info("socket"))
        self._transport.set_write_buffer_limits(high=HIGH_WATER)
        self._host, self._peer = address_of(transport)
        exchange = self.exchange
        self._entrance = Entrance(exchange, self, self._host, certificates.shown_by(transport))
        too_many = exchange.take_in(self, self._host)
        if too_many:
            self.end(too_many)

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed."""
        try:
            self.end(f"connection lost ({exc})" if exc else "connection lost")
        finally:  # whatever its will runs into: who stops the broker waits for every connection
            self.exchange.let_go(self, self._host)
            self.exchange.flush()

    # --- what the entrance asks for -----------------------------------------------------------------

    def pause_reading(self) -> None:
        """Read nothing more until `resume_reading`; the deadline for CONNECT goes on."""
        self._transport.pause_reading()

    def decided(self, packet: mqtt_server.Connect, admitted: Entry | Refusal) -> bool:
        """Let it in and say so, or say why not and close. False when CONNACK has to wait for the disk."""
        if self._ended:
            return True
        if isinstance(admitted, Refusal):
            self._turn_away(packet, admitted)
            return True
        exchange = self.exchange
        session, present = exchange.router.open(
            admitted.client, admitted.principal, clean=packet.clean
        )
        if not exchange.journal.owes(session.client):
            self._let_in(packet, session, present=present)
            return True

        def begin() -> None:
            entrance, self._opening = self._entrance, None
            self._let_in(packet, session, present=present)
            if entrance is not None:
                entrance.let_in()

        self._heard = exchange.clock()  # what it waited for until now was not the disk
        # A session that it was told of must not be gone after a power cut, nor an old one be there again.
        self._opening = Opening(exchange.router, session, begin=begin, close=self.end)
        exchange.journal.confirm(self._opening, pressing=True)
        return False

    def _turn_away(self, packet: mqtt_server.Connect, refusal: Refusal) -> None:
        exchange = self.exchange
        known = exchange.principals.get(packet.user or "")
        # A name that nobody has may be a password.
        said = refusal.reason if known else "wrong user name or secret"
        name = known.name if known else ""
        exchange.router.log.note(REFUSED, name, detail=f"{said}, from {self._peer}")
        exchange.counters.refused += 1
        exchange.counters.logins_failed += refusal.code == mqtt.BAD_LOGIN
        self.send(mqtt_server.connack(False, refusal.code))
        self.end(f"refused, {refusal.reason}")

    def _let_in(self, packet: mqtt_server.Connect, session: Session, *, present: bool) -> None:
        exchange = self.exchange
        self._session, self._entrance = session, None
        self._allowance = exchange.rates.of(session.principal)
        exchange.counters.connects += 1
        self._will = packet.will
        self._keepalive = packet.keepalive
        self._heard = exchange.clock()
        _log.info("%s: connected%s", self, " to its kept session" if present else "")
        said = f"from {self._peer}" + (", to its kept session" if present else "")
        exchange.router.log.note(CONNECT, session.principal.name, session.client, detail=said)
        self.send(mqtt_server.connack(present, mqtt.ACCEPTED))
        session.attach(self)

    def resume_reading(self, early: list[Packet]) -> None:
        """Read on after a login that took a while, `early` first."""
        if not self._ended:
            self._transport.resume_reading()
            self._take(early)
        self.exchange.flush()

    @property
    def known(self) -> bool:
        """True once the client has proved who it is."""
        return self._session is not None or self._opening is not None

    # --- how it ends --------------------------------------------------------------------------------

    def end(self, reason: str, *, will: bool = True) -> None:
        """Close the connection and let the session go. The will is published unless the client left in good order."""
        if not self._ended:
            self.write()
        if self._ended:
            return  # before this call, or because of that write
        self._ended = True
        self.answers.end()
        _log.info("%s: closed, %s", self, reason)
        self._transport.close()
        if self._entrance is not None:
            self._entrance.leave()
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.leave()
        session, self._session = self._session, None
        if session is None:
            return
        self.exchange.router.leave(session)
        log = self.exchange.router.log
        log.note(DISCONNECT, session.principal.name, session.client, detail=reason)
        if will and self._will is not None:
            topic, payload, retain, qos = self._will
            self.exchange.router.publish(
                session.principal,
                topic,
                payload,
                qos,
                retain=retain,
                action="will",
                client=session.client,
            )

    def check(self, now: float) -> None:
        """Close a connection that says nothing: before CONNECT, or for one and a half keep-alive times (3.1.2.10)."""
        limits = self.exchange.limits
        silent = now - self._heard
        if self._ended:
            # A peer that does not read would keep a closed transport for ever.
            self._transport.abort()
        elif self._session is None:
            self._check_entrance(silent)
        elif (self._backlog or not self._reading) and self._is_gone():
            self._transport.abort()
            self.end("connection lost while it was not read from")
        elif self._backlog:
            packets, self._backlog = self._backlog, []
            self._take(packets)
            self._read_on()
        elif self._reading:
            unfinished = self._decoder.pending() > 0
            why = overdue(silent, self._keepalive, limits, unfinished=unfinished)
            if why is not None:
                self._transport.abort()
                self.end(why)

    def _check_entrance(self, silent: float) -> None:
        limits, entrance = self.exchange.limits, self._entrance
        if entrance is None or not entrance.is_deciding:
            if silent > limits.connect_within:
                self._give_up()
        elif silent > limits.login_within:
            self.send(mqtt_server.connack(False, mqtt.UNAVAILABLE))
            self.end("its login was not decided in time")
        elif entrance.holds_nothing and is_gone(
            self._transport.get_extra_info("socket"), also_half=True
        ):
            # Who is tired of waiting comes again: a crowd must not be held up by its own earlier tries.
            self._transport.abort()
            self.end("connection lost while its login was decided")

    def _is_gone(self) -> bool:
        # What it said at last is worth reading, unless the disk refuses: that may be for days.
        return is_gone(
            self._transport.get_extra_info("socket"), also_half=self.exchange.journal.stuck
        )

    def _give_up(self) -> None:
        if self._opening is None:
            self.end("no CONNECT in time")
            return
        self.send(mqtt_server.connack(False, mqtt.UNAVAILABLE))
        self.end("the disk did not take its session in time")

    def __repr__(self) -> str:
        """Name the client for the log, as far as it is known."""
        if self._session is None:
            return self._peer
        client, owner = self._session.client, self._session.principal.name
        # A user's client id is any text: it may hold line ends.
        return f"{owner}@{self._peer}" + ("" if client == owner else f" as {client[:64]!r}")

    def _resume(self) -> None:
        if self._session is not None:
            self._session.resume()
