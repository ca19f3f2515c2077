"""One client's session: what it subscribed to and what it still has to receive. No I/O: packets go to its link."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from doorward.broker.journal import Journal
from doorward.broker.limits import Limits
from doorward.broker.ports import KeptMessage, Link
from doorward.broker.principals import Principal
from doorward_core import mqtt


class Message(NamedTuple):
    """An application message on its way to subscribers."""

    topic: str
    payload: bytes
    qos: int
    retain: bool = False  # as the subscriber is to see it: True only for what was retained before it subscribed
    keep: bool = True  # False: worthless to a client that is away


@dataclass(slots=True)
class _Delivery:
    """A QoS 1 message for this client. `row` is 0 for what is not kept on disk."""

    row: int
    topic: str
    payload: bytes
    retain: bool

    def packet(self, packet_id: int, *, dup: bool = False) -> bytes:
        return mqtt.publish(self.topic, self.payload, 1, self.retain, dup, packet_id)


class Session:
    """Sends in order, never more than the window at once, and keeps what was not acknowledged.

    A clean session lives as long as its connection and keeps nothing on disk.
    """

    __slots__ = (
        "_inflight",
        "_journal",
        "_last_id",
        "_limits",
        "_waiting",
        "_waiting_bytes",
        "clean",
        "dropped",
        "link",
        "principal",
        "received",
        "subscriptions",
    )

    def __init__(
        self, principal: Principal, journal: Journal, limits: Limits, *, clean: bool
    ) -> None:
        """Start with no subscription and no client attached."""
        self.principal = principal
        self.clean = clean
        self.link: Link | None = None
        self.subscriptions: dict[str, int] = {}
        self.received: set[int] = set()
        self.dropped = 0
        self._journal = journal
        self._limits = limits
        self._last_id = 0
        self._inflight: dict[int, _Delivery] = {}
        self._waiting: deque[_Delivery] = deque()
        self._waiting_bytes = 0

    @property
    def unsettled(self) -> int:
        """Messages sent and not acknowledged, and messages that wait."""
        return len(self._inflight) + len(self._waiting)

    def restore(self, messages: Iterable[KeptMessage]) -> None:
        """Take back what the store kept, in order of delivery."""
        for kept in messages:
            delivery = _Delivery(kept.row, kept.topic, kept.payload, kept.retain)
            if kept.packet_id is None:
                self._wait(delivery)
            else:
                self._inflight[kept.packet_id] = delivery
                self._last_id = kept.packet_id

    def attach(self, link: Link) -> None:
        """The client is here: send again, in order and marked DUP, what it never acknowledged; then what waited."""
        self.link = link
        for packet_id, delivery in self._inflight.items():
            link.send(delivery.packet(packet_id, dup=True))
        self.resume()

    def detach(self) -> None:
        """The client is gone: drop what is worthless later."""
        self.link = None
        self._inflight = {key: delivery for key, delivery in self._inflight.items() if delivery.row}
        self._waiting = deque(delivery for delivery in self._waiting if delivery.row)
        self._waiting_bytes = sum(len(delivery.payload) for delivery in self._waiting)

    def deliver(self, message: Message, qos: int) -> bool:
        """Send or queue one message at the granted `qos`. True when something has to reach the disk first."""
        link = self.link
        if qos == 0:
            if link is not None and link.ready:
                link.send(mqtt.publish(message.topic, message.payload, 0, message.retain))
            elif link is not None:
                self.dropped += 1
            return False
        if link is None and not message.keep:
            return False
        at_once = self._has_room() and not self._waiting
        if not at_once and self._is_full(len(message.payload)):
            self.dropped += 1
            return False
        packet_id = self._next_id() if at_once else None
        row = 0
        if message.keep and not self.clean:
            row = self._journal.keep(
                self.principal.name, message.topic, message.payload, message.retain, packet_id
            )
        delivery = _Delivery(row, message.topic, message.payload, message.retain)
        if packet_id is None or link is None:
            self._wait(delivery)
        else:
            self._inflight[packet_id] = delivery
            link.send(delivery.packet(packet_id))
        return row > 0

    def acknowledged(self, packet_id: int) -> None:
        """The client has it. Ids that are not in flight are ignored: they belong to a session that has ended."""
        delivery = self._inflight.pop(packet_id, None)
        if delivery is None:
            return
        if delivery.row:
            self._journal.forget(delivery.row)
        if self._waiting:
            self.resume()

    def resume(self) -> None:
        """Send what waits, as far as the window and the client's reading allow."""
        while self._waiting and self._has_room() and self.link is not None:
            delivery = self._waiting.popleft()
            self._waiting_bytes -= len(delivery.payload)
            packet_id = self._next_id()
            if delivery.row:
                self._journal.sent(delivery.row, packet_id)
            self._inflight[packet_id] = delivery
            self.link.send(delivery.packet(packet_id))

    def _has_room(self) -> bool:
        return (
            self.link is not None
            and self.link.ready
            and len(self._inflight) < self._limits.inflight
        )

    def _is_full(self, size: int) -> bool:
        return (
            len(self._waiting) >= self._limits.queued
            or self._waiting_bytes + size > self._limits.queued_bytes
        )

    def _wait(self, delivery: _Delivery) -> None:
        self._waiting.append(delivery)
        self._waiting_bytes += len(delivery.payload)

    def _next_id(self) -> int:
        candidate = self._last_id
        while True:
            candidate = candidate % 65535 + 1
            if candidate not in self._inflight:
                self._last_id = candidate
                return candidate
