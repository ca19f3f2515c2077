"""What a connected client may ask: one function for each packet type."""

from collections.abc import Callable
from typing import Protocol

from doorward.broker import wire
from doorward.broker.answers import Answers
from doorward.broker.exchange import Exchange
from doorward.broker.session import Session
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
    topic, packet_id, payload = wire.parse_publish(flags, body)
    qos = flags >> 1 & 3
    if qos == 2 and packet_id in session.received:
        # Sent again because our PUBREC got lost: it was delivered already (4.3.3).
        _answer(by, mqtt.ack(mqtt.PUBREC, packet_id), after_commit=not session.clean)
        return
    exchange, answers = by.exchange, by.answers
    exchange.router.publish(
        session.principal,
        topic,
        payload,
        qos,
        retain=bool(flags & 1),
        client=session.client,
        receipt=answers.receipt if qos else None,
    )
    if qos == 1:
        answers.add(_PUBACK + packet_id.to_bytes(2, "big"))
    elif qos == 2:
        session.received.add(packet_id)
        if not session.clean:
            exchange.journal.receive(session.client, packet_id, held=True)
        _answer(by, mqtt.ack(mqtt.PUBREC, packet_id), after_commit=not session.clean)


def _pubrel(by: Requester, session: Session, _flags: int, body: bytes) -> None:
    packet_id = mqtt.parse_ack(body)
    held = packet_id in session.received
    session.received.discard(packet_id)
    if held and not session.clean:
        by.exchange.journal.receive(session.client, packet_id, held=False)
    # Also when it was released before: perhaps over a connection that broke, and the disk does not know yet.
    _answer(by, mqtt.ack(mqtt.PUBCOMP, packet_id), after_commit=not session.clean)


def _puback(_by: Requester, session: Session, _flags: int, body: bytes) -> None:
    session.acknowledged(mqtt.parse_ack(body))


def _pubrec(_by: Requester, session: Session, _flags: int, body: bytes) -> None:
    session.received_by_client(mqtt.parse_ack(body))


def _pubcomp(_by: Requester, session: Session, _flags: int, body: bytes) -> None:
    session.completed(mqtt.parse_ack(body))


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


HANDLERS = tuple(
    {
        mqtt.PUBLISH: _publish,
        mqtt.PUBACK: _puback,
        mqtt.PUBREC: _pubrec,
        mqtt.PUBREL: _pubrel,
        mqtt.PUBCOMP: _pubcomp,
        mqtt.SUBSCRIBE: _subscribe,
        mqtt.UNSUBSCRIBE: _unsubscribe,
        mqtt.PINGREQ: _pingreq,
        mqtt.DISCONNECT: _disconnect,
    }.get(kind, _not_allowed(kind))
    for kind in range(16)
)
"""By packet type. They raise MqttError for what a client may not send."""
