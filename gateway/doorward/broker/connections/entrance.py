"""A connection before anybody knows who it is: its CONNECT, and what comes while its login is being decided."""

import asyncio
import logging
from collections.abc import Awaitable
from typing import Protocol

from doorward.broker.connections.admission import Caller, Entry, admit
from doorward.broker.connections.exchange import Exchange
from doorward.broker.identity.certificates import Shown
from doorward.broker.identity.ports import Refusal
from doorward.broker.ports import Packet
from doorward_core import mqtt, mqtt_server

_log = logging.getLogger(__name__)

_CONNECT_HEAD = mqtt.CONNECT << 4


class Applicant(Protocol):
    """The connection that stands in the entrance."""

    def pause_reading(self) -> None:
        """Read nothing more until `resume_reading` is called."""

    def decided(self, packet: mqtt_server.Connect, answer: Entry | Refusal) -> bool:
        """Let it in, or turn it away. False when it is let in as soon as the disk knows of its session."""

    def resume_reading(self, early: list[Packet]) -> None:
        """What took a while is decided: read on, after what came early."""


class Entrance:
    """Holds one connection until it is admitted; nobody unknown makes us hold more than `Limits.connect_packet`."""

    def __init__(
        self, exchange: Exchange, applicant: Applicant, address: str, shown: Shown | None
    ) -> None:
        """`address` is the host it comes from, `shown` its certificate."""
        self._exchange = exchange
        self._applicant = applicant
        self._address = address
        self._shown = shown
        self._early: list[Packet] | None = None
        self._early_size = 0
        self._proved = False  # who it is
        self._deciding: asyncio.Task[None] | None = None

    def check(self, data: bytes) -> None:
        """Raise MqttError when the first bytes cannot become a CONNECT."""
        if self._early is None and data[0] != _CONNECT_HEAD:
            raise mqtt.MqttError("the first packet is no CONNECT")

    def holds_too_much(self, pending: int) -> bool:
        """True when this and `pending` bytes that are no packet yet are more than a stranger may make us hold."""
        held = self._early_size + pending
        return not self._proved and held > self._exchange.limits.connect_packet

    def take(self, packet: Packet) -> None:
        """The first packet has to be CONNECT; those behind it wait while it is decided."""
        if self._early is None:
            self._on_connect(mqtt_server.parse_connect(packet[2]))
        else:
            self._early.append(packet)
            self._early_size += len(packet[2]) + 2

    def _on_connect(self, packet: mqtt_server.Connect) -> None:
        answer = admit(Caller(packet, self._address, self._shown), self._exchange)
        if isinstance(answer, Entry | Refusal):
            self._proved = isinstance(answer, Entry)
            if not self._applicant.decided(packet, answer):
                self._wait()
            return
        self._wait()
        self._deciding = task = asyncio.get_running_loop().create_task(self._decide(packet, answer))
        self._exchange.deciding.add(task)
        task.add_done_callback(self._exchange.deciding.discard)

    async def _decide(
        self, packet: mqtt_server.Connect, answer: Awaitable[Entry | Refusal]
    ) -> None:
        admitted: Entry | Refusal
        try:
            admitted = await answer
        except Exception:  # noqa: BLE001 - whatever it was, nobody comes in by it
            _log.exception("%s: its login could not be decided", self._applicant)
            admitted = Refusal(mqtt.UNAVAILABLE, "its login could not be decided")
        self._deciding = None
        self._proved = isinstance(admitted, Entry)
        if self._applicant.decided(packet, admitted):
            self.let_in()
        else:
            self._exchange.flush()

    @property
    def is_deciding(self) -> bool:
        """Whether it has said who it is, and waits to be believed."""
        return self._deciding is not None

    @property
    def holds_nothing(self) -> bool:
        """Whether nothing came behind the CONNECT."""
        return not self._early

    def leave(self) -> None:
        """The connection is closed: a login that stands in line is not wanted any more."""
        if self._deciding is not None:
            # Not before it has begun: what it would wait for is never begun either then, and Python complains.
            asyncio.get_running_loop().call_soon(self._deciding.cancel)

    def let_in(self) -> None:
        """It is told that it is in: what came early is next."""
        early, self._early = self._early or [], []
        self._applicant.resume_reading(early)

    def _wait(self) -> None:
        self._early = []
        self._applicant.pause_reading()
