"""One client's session: what it subscribed to and what it still has to receive. No I/O: packets go to its link."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import takewhile

from doorward.broker.identity.principals import Principal
from doorward.broker.keeping.journal import Journal
from doorward.broker.keeping.messages import Delivery, Message
from doorward.broker.limits import Limits
from doorward.broker.packets import wire
from doorward.broker.ports import KeptMessage, Link
from doorward.broker.sessions.gate import Gate
from doorward.broker.sessions.queue import Queue
from doorward.broker.sessions.share import Share
from doorward_core import mqtt

_GATED = 65_536  # bytes that wait for the disk on their way to one client: from here on the rest stays in the queue


class Session:
    """Sends in order, never more than the window at once, and keeps what was not acknowledged.

    What was sent over a connection that is gone stands at the head of the queue again, under its old packet id, at the
    step at which its handshake was. A clean session lives as long as its connection and keeps nothing on disk.
    """

    __slots__ = (
        "_gate",
        "_inflight",
        "_journal",
        "_last_id",
        "_limits",
        "_queue",
        "_waiting",
        "clean",
        "client",
        "dropped",
        "link",
        "principal",
        "received",
        "subscriptions",
    )

    def __init__(
        self,
        client: str,
        principal: Principal,
        journal: Journal,
        limits: Limits,
        *,
        clean: bool,
        share: Share | None = None,
    ) -> None:
        """Start with no subscription and nobody attached. `client` is the client id, `principal` owns the session.

        `share`: what may wait in all sessions of that principal.
        """
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
        self._inflight: dict[int, Delivery] = {}
        self._gate: Gate | None = None
        self._queue = Queue(limits, share)
        self._waiting = self._queue.messages

    @property
    def unsettled(self) -> int:
        """Messages sent and not acknowledged, and messages that wait."""
        return len(self._inflight) + len(self._waiting)

    def restore(self, messages: Iterable[KeptMessage]) -> None:
        """Take back what the store kept, in order of delivery."""
        for kept in messages:
            self._queue.put(Delivery.restored(kept))
            self._last_id = kept.packet_id or self._last_id

    def attach(self, link: Link) -> None:
        """The client is here: first what it never acknowledged, marked DUP, then what waited."""
        self.link = link
        self.resume()

    def detach(self) -> None:
        """The client is gone: drop what is worthless later, keep the rest in order."""
        self.link = None
        self._gate = None
        unsettled = (*self._inflight.values(), *self._queue.take_all())
        self._inflight.clear()
        for delivery in unsettled:
            if delivery.row:
                self._queue.put(delivery)

    @property
    def full(self) -> bool:
        """True when nothing more may wait for this client."""
        return self._queue.is_full(0)

    def deliver(self, message: Message, qos: int, *, beyond_limit: bool = False) -> None:
        """Send or queue one message at the granted `qos`, or count it as dropped. Its receipt owes what is kept.

        `beyond_limit` is for a set that belongs together and is bounded itself.
        """
        link = self.link
        if qos == 0:
            if link is not None and not link.congested:
                link.send(wire.publish(message.topic, message.payload, 0, message.retain))
            elif link is not None:
                self.dropped += 1
            return
        if link is None and not message.keep:
            return
        at_once = not self._waiting and self._has_room()
        if not at_once and not beyond_limit and self._queue.is_full(len(message.payload)):
            self.dropped += 1
            return
        delivery = Delivery(message, qos, self._next_id() if at_once else 0)
        if not self.clean and (message.keep or (at_once and qos == 2)):
            delivery.row = self._journal.keep(self.client, delivery)
            receipt = message.receipt
            if receipt is not None:
                receipt.owed += 1
        if at_once:
            self._send(delivery, dup=False)
        else:
            if qos == 2 and not delivery.row and not self.clean:
                delivery.place = self._journal.reserve()
                delivery.message = replace(message, receipt=None)  # who sent it waits for no row
            self._queue.put(delivery)

    def forget_unreadable(self, may_read: Callable[[str], bool]) -> None:
        """Send nothing more on topics that the client may no longer read.

        A QoS 2 handshake that has begun is still brought to its end, without the message.
        """
        for delivery in self._queue.take_all():
            if not self._is_forgotten(delivery, may_read):
                self._queue.put(delivery)
        for delivery in self._inflight.values():
            begun = not delivery.released
            # It went out already; should the connection break now it is not sent again.
            if self._is_forgotten(delivery, may_read):
                delivery.row = 0
            elif begun and delivery.released and self._gate is not None:
                self._gate.withdraw(delivery.packet_id)

    def _is_forgotten(self, delivery: Delivery, may_read: Callable[[str], bool]) -> bool:
        if may_read(delivery.message.topic):
            return False
        if delivery.qos == 2 and delivery.packet_id:
            if not delivery.released and delivery.row:
                self._journal.release(delivery.row)
            delivery.release()
            return False
        if delivery.row:
            self._journal.forget(delivery.row)
        return True

    def acknowledged(self, packet_id: int) -> None:
        """PUBACK: the client has a QoS 1 message. Ids that are not in flight belong to a session that has ended.

        Raises MqttError when the message is one of QoS 2.
        """
        delivery = self._inflight.get(packet_id)
        if delivery is None:
            return
        if delivery.qos == 2:
            raise mqtt.MqttError(f"PUBACK for the QoS 2 message {packet_id}")
        del self._inflight[packet_id]
        self._settled(delivery)

    def received_by_client(self, packet_id: int) -> None:
        """PUBREC: the client has a QoS 2 message; it may forget the id when the disk knows (4.3.3).

        Raises MqttError when the message is one of QoS 1.
        """
        delivery = self._inflight.get(packet_id)
        if delivery is None:
            # Of a session that has ended, unless it is about to be sent again: then that is answered.
            sent_before = takewhile(lambda waiting: waiting.packet_id, self._waiting)
            if all(waiting.packet_id != packet_id for waiting in sent_before):
                self._out(mqtt.ack(mqtt.PUBREL, packet_id))
            return
        if delivery.qos != 2:
            raise mqtt.MqttError(f"PUBREC for the QoS 1 message {packet_id}")
        if not delivery.released:
            delivery.release()
            if delivery.row:
                self._journal.release(delivery.row)
        self._out(mqtt.ack(mqtt.PUBREL, packet_id), after_commit=delivery.row > 0)

    def completed(self, packet_id: int) -> None:
        """PUBCOMP: the client has forgotten the id of a QoS 2 message. Raises MqttError when it had no reason to."""
        delivery = self._inflight.get(packet_id)
        if delivery is None:
            return
        if not delivery.released:
            raise mqtt.MqttError(f"PUBCOMP for {packet_id}, which was not released")
        del self._inflight[packet_id]
        self._settled(delivery)

    def resume(self) -> None:
        """Send what waits, as far as the window and the client's reading allow."""
        while self._waiting and self._has_room():
            delivery = self._queue.take()
            dup = delivery.packet_id > 0
            if not dup:
                delivery.packet_id = self._next_id()
                if delivery.row:
                    self._journal.sent(delivery.row, delivery.packet_id)
                elif delivery.qos == 2 and not self.clean:
                    delivery.row = self._journal.keep(self.client, delivery, delivery.place)
            self._send(delivery, dup=dup)

    def _settled(self, delivery: Delivery) -> None:
        if delivery.row:
            self._journal.forget(delivery.row)
            receipt = delivery.message.receipt
            if receipt is not None:
                receipt.settle()
        if self._waiting:
            self.resume()

    def _send(self, delivery: Delivery, *, dup: bool) -> None:
        packet_id = delivery.packet_id
        self._inflight[packet_id] = delivery
        qos = delivery.qos
        if delivery.released:
            packet = mqtt.ack(mqtt.PUBREL, packet_id)
        else:
            message = delivery.message
            packet = wire.publish(
                message.topic, message.payload, qos, message.retain, dup, packet_id
            )
        after_commit = qos == 2 and delivery.row > 0
        if self._gate is None and not after_commit and self.link is not None:
            self.link.send(packet)
        else:
            self._out(packet, after_commit=after_commit)

    def _out(self, packet: bytes, *, after_commit: bool = False) -> None:
        """Send, behind whatever waits for the disk."""
        link = self.link
        if link is None:
            return
        if after_commit and self._gate is None:
            self._gate = Gate(self._journal, link)
        gate = self._gate
        if gate is not None and (after_commit or gate.size):
            gate.send(packet)
        else:
            link.send(packet)

    def _has_room(self) -> bool:
        return (
            self.link is not None
            and self.link.ready
            and len(self._inflight) < self._limits.inflight
            and (self._gate is None or self._gate.size < _GATED)
        )

    def empty(self) -> None:
        """Forget all that waits."""
        self._queue.take_all()

    def _next_id(self) -> int:
        candidate = self._last_id
        while True:
            candidate = candidate % 65535 + 1
            if candidate not in self._inflight:
                self._last_id = candidate
                return candidate
