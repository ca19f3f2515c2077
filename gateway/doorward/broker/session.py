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
    """A QoS 1 message for this client."""

    row: int  # 0: not kept on disk
    topic: str
    payload: bytes
    retain: bool
    packet_id: int = 0  # 0: never sent


class Session:
    """Sends in order, never more than the window at once, and keeps what was not acknowledged.

    What was sent over a connection that is gone stands at the head of the queue again, under its old packet id. A
    clean session lives as long as its connection and keeps nothing on disk.
    """

    __slots__ = (
        "_inflight",
        "_journal",
        "_last_id",
        "_limits",
        "_waiting",
        "_waiting_bytes",
        "clean",
        "client",
        "dropped",
        "link",
        "principal",
        "received",
        "subscriptions",
    )

    def __init__(
        self, client: str, principal: Principal, journal: Journal, limits: Limits, *, clean: bool
    ) -> None:
        """Start with no subscription and nobody attached. `client` is the client id, `principal` owns the session."""
        self.client = client
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
            packet_id = kept.packet_id or 0
            self._wait(_Delivery(kept.row, kept.topic, kept.payload, kept.retain, packet_id))
            self._last_id = packet_id or self._last_id

    def attach(self, link: Link) -> None:
        """The client is here: first what it never acknowledged, marked DUP, then what waited."""
        self.link = link
        self.resume()

    def detach(self) -> None:
        """The client is gone: drop what is worthless later, keep the rest in order."""
        self.link = None
        unsettled = (*self._inflight.values(), *self._waiting)
        self._inflight.clear()
        self._waiting.clear()
        self._waiting_bytes = 0
        for delivery in unsettled:
            if delivery.row:
                self._wait(delivery)

    @property
    def full(self) -> bool:
        """True when nothing more may wait for this client."""
        return self._is_full(0)

    def deliver(self, message: Message, qos: int, *, beyond_limit: bool = False) -> bool:
        """Send or queue one message at the granted `qos`. True when something has to reach the disk first.

        `beyond_limit` is for a set that belongs together and is bounded itself.
        """
        link = self.link
        if qos == 0:
            if link is not None and not link.congested:
                link.send(mqtt.publish(message.topic, message.payload, 0, message.retain))
            elif link is not None:
                self.dropped += 1
            return False
        if link is None and not message.keep:
            return False
        at_once = not self._waiting and self._has_room()
        if not at_once and not beyond_limit and self._is_full(len(message.payload)):
            self.dropped += 1
            return False
        delivery = _Delivery(0, message.topic, message.payload, message.retain)
        if at_once:
            delivery.packet_id = self._next_id()
        if message.keep and not self.clean:
            delivery.row = self._journal.keep(
                self.client,
                message.topic,
                message.payload,
                qos=1,
                retain=message.retain,
                packet_id=delivery.packet_id or None,
            )
        if at_once:
            self._send(delivery, dup=False)
        else:
            self._wait(delivery)
        return delivery.row > 0

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
            dup = delivery.packet_id > 0
            if not dup:
                delivery.packet_id = self._next_id()
                if delivery.row:
                    self._journal.sent(delivery.row, delivery.packet_id)
            self._send(delivery, dup=dup)

    def _send(self, delivery: _Delivery, *, dup: bool) -> None:
        self._inflight[delivery.packet_id] = delivery
        if self.link is not None:
            self.link.send(
                mqtt.publish(
                    delivery.topic, delivery.payload, 1, delivery.retain, dup, delivery.packet_id
                )
            )

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
