"""What a connected client may ask: one function for each packet type."""

from collections.abc import Callable
from typing import Protocol

from doorward.broker.connections.exchange import Exchange
from doorward.broker.keeping.answers import Answers
from doorward.broker.packets import wire
from doorward.broker.sessions.session import Session
from doorward_core import mqtt, mqtt_server


class Requester(Protocol):
    """A connection that carries a session."""

    @property
    def exchange(self) -> Exchange:
        """What all connections share."""

    def send(self, packet: bytes) -> None:
        """Write one whole packet, soon."""

    @property
    def answers(self) -> Answers:
        """What it is told, and when."""

    def end(self, reason: str, *, will: bool = True) -> None:
        """Close the connection now."""


_PUBACK = bytes((mqtt.PUBACK << 4, 2))

Handler = Callable[[Requester, Session, int, bytes], None]


def _publish(by: Requester, session: Session, flags: int, body: bytes) -> None:
    topic, _, payload = wire.parse_publish(flags, body)
    by.exchange.router.publish(
        session.principal, topic, payload, 0, bool(flags & 1), session.client
    )


def _publish_at_qos_1(by: Requester, session: Session, flags: int, body: bytes) -> None:
    topic, packet_id, payload = wire.parse_publish(flags, body)
    answers = by.answers
    by.exchange.router.publish(
        session.principal,
        topic,
        payload,
        1,
        bool(flags & 1),
        session.client,
        answers.receipt,
    )
    answers.add(_PUBACK + packet_id.to_bytes(2, "big"))


def _publish_at_qos_2(by: Requester, session: Session, flags: int, body: bytes) -> None:
    topic, packet_id, payload = wire.parse_publish(flags, body)
    # When it is there it was sent again because our PUBREC got lost: it was delivered already (4.3.3).
    if packet_id not in session.received:
        by.exchange.router.publish(
            session.principal,
            topic,
            payload,
            2,
            bool(flags & 1),
            session.client,
            by.answers.receipt,
        )
        session.received.add(packet_id)
        if not session.clean:
            by.exchange.journal.receive(session.client, packet_id, held=True)
    _answer(by, mqtt.ack(mqtt.PUBREC, packet_id), after_commit=not session.clean)


def _pubrel(by: Requester, session: Session, _flags: int, body: bytes) -> None:
    packet_id = _id_of(body)
    held = packet_id in session.received
    session.received.discard(packet_id)
    if held and not session.clean:
        by.exchange.journal.receive(session.client, packet_id, held=False)
    # Also when it was released before: perhaps over a connection that broke, and the disk does not know yet.
    _answer(by, mqtt.ack(mqtt.PUBCOMP, packet_id), after_commit=not session.clean)


def _puback(_by: Requester, session: Session, _flags: int, body: bytes) -> None:
    session.acknowledged(_id_of(body))


def _pubrec(_by: Requester, session: Session, _flags: int, body: bytes) -> None:
    session.received_by_client(_id_of(body))


def _pubcomp(_by: Requester, session: Session, _flags: int, body: bytes) -> None:
    session.completed(_id_of(body))


def _subscribe(by: Requester, session: Session, _flags: int, body: bytes) -> None:
    packet_id, wanted = mqtt_server.parse_subscribe(body)
    codes, changed = by.exchange.router.subscribe(session, wanted)
    _answer(by, mqtt_server.suback(packet_id, codes), after_commit=changed)


def _unsubscribe(by: Requester, session: Session, _flags: int, body: bytes) -> None:
    packet_id, filters = mqtt_server.parse_unsubscribe(body)
    changed = by.exchange.router.unsubscribe(session, filters)
    _answer(by, mqtt.ack(mqtt.UNSUBACK, packet_id), after_commit=changed)


def _pingreq(by: Requester, _session: Session, _flags: int, body: bytes) -> None:
    _check_empty("PINGREQ", body)
    by.send(mqtt_server.pingresp())


def _disconnect(by: Requester, _session: Session, _flags: int, body: bytes) -> None:
    _check_empty("DISCONNECT", body)
    by.end("it said goodbye", will=False)


def _id_of(body: bytes) -> int:
    # What most acknowledgements hold is told without a look at what is wrong with it.
    return (len(body) == 2 and body[0] << 8 | body[1]) or mqtt.parse_ack(body)


def _answer(by: Requester, packet: bytes, *, after_commit: bool) -> None:
    if after_commit:
        by.answers.receipt.until_committed()
    by.answers.add(packet)


def _check_empty(name: str, body: bytes) -> None:
    if body:
        raise mqtt.MqttError(f"{name} with {len(body)} bytes in it")


def _not_allowed(kind: int) -> Handler:
    what = "a second CONNECT" if kind == mqtt.CONNECT else f"packet type {kind} from a client"

    def refuse(_by: Requester, _session: Session, _flags: int, _body: bytes) -> None:
        raise mqtt.MqttError(what)

    return refuse


_BY_KIND: dict[int, Handler] = {
    mqtt.PUBLISH: _publish,
    mqtt.PUBACK: _puback,
    mqtt.PUBREC: _pubrec,
    mqtt.PUBREL: _pubrel,
    mqtt.PUBCOMP: _pubcomp,
    mqtt.SUBSCRIBE: _subscribe,
    mqtt.UNSUBSCRIBE: _unsubscribe,
    mqtt.PINGREQ: _pingreq,
    mqtt.DISCONNECT: _disconnect,
}
_BY_QOS = (_publish, _publish_at_qos_1, _publish_at_qos_2)


def _handler(head: int) -> Handler:
    kind, qos = head >> 4, head >> 1 & 3
    if kind == mqtt.PUBLISH and qos < len(_BY_QOS):
        return _BY_QOS[qos]
    return _BY_KIND.get(kind, _not_allowed(kind))


HANDLERS = tuple(map(_handler, range(256)))
"""By the first byte of a packet. They raise MqttError for what a client may not send."""
