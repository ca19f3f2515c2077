"""What the broker would be without one of its promises. Each is to be run in a process of its own, and to be caught."""

import asyncio
from collections.abc import Callable
from typing import Any

from doorward.broker.connections.connection import Connection
from doorward.broker.keeping.answers import Receipt
from doorward.broker.keeping.journal import Journal
from doorward.broker.keeping.waiting import Waiting
from doorward.broker.sessions.gate import Gate
from doorward.broker.store import BrokerStore
from doorward.sqlite import driver
from doorward_core import mqtt, mqtt_server

_SLOW_S = 0.2  # longer than a client takes to answer


def _acknowledges_before_the_commit() -> None:
    def confirm(_journal: Journal, to: Waiting, *, pressing: bool = False) -> None:
        # Not before it is told: who asks does not expect to be answered before it has asked to the end.
        asyncio.get_running_loop().call_soon(to.committed)

    Journal.confirm = confirm  # type: ignore[method-assign]


def _acknowledges_what_one_client_has() -> None:
    Receipt.settle = Receipt.committed  # type: ignore[method-assign]
    _slow_disk()


def _commits_without_sync() -> None:
    weaker = tuple(pragma.replace("FULL", "NORMAL") for pragma in driver._PRAGMAS)
    assert weaker != driver._PRAGMAS
    driver._PRAGMAS = weaker


def _forgets_what_it_took_at_qos_2() -> None:
    Journal.receive = lambda _journal, *_key, held: None  # type: ignore[method-assign]


def _does_not_expect_a_short_subscribe() -> None:
    parse = mqtt_server.parse_subscribe

    def careless(body: bytes) -> tuple[int, list[tuple[str, int]]]:
        try:
            return parse(body)
        except mqtt.MqttError as error:
            if "cut short" in str(error):
                raise IndexError from error
            raise

    mqtt_server.parse_subscribe = careless


def _remembers_every_connection() -> None:
    lost = Connection.connection_lost
    kept = []

    def connection_lost(connection: Connection, exc: Exception | None) -> None:
        kept.append((connection, b"x" * 32768))
        lost(connection, exc)

    Connection.connection_lost = connection_lost  # type: ignore[method-assign]


def _delivers_before_the_commit() -> None:
    Gate.send = lambda gate, packet: gate._link.send(packet)  # type: ignore[method-assign]
    _slow_disk()


def _releases_before_the_commit() -> None:
    waits = Gate.send

    def send(gate: Gate, packet: bytes) -> None:
        if packet[0] >> 4 == mqtt.PUBREL:
            gate._link.send(packet)
        else:
            waits(gate, packet)

    Gate.send = send  # type: ignore[method-assign]
    _slow_disk()


def _slow_disk() -> None:
    write = BrokerStore.write

    def late(*given: Any) -> None:
        asyncio.get_running_loop().call_later(_SLOW_S, write, *given)

    BrokerStore.write = late  # type: ignore[method-assign]


MUTANTS: dict[str, Callable[[], None]] = {
    "acknowledges before the commit": _acknowledges_before_the_commit,
    "acknowledges what one of two clients has": _acknowledges_what_one_client_has,
    "commits without sync": _commits_without_sync,
    "does not expect a short SUBSCRIBE": _does_not_expect_a_short_subscribe,
    "remembers every connection": _remembers_every_connection,
    "forgets what it took at QoS 2": _forgets_what_it_took_at_qos_2,
    "delivers QoS 2 before the commit": _delivers_before_the_commit,
    "releases QoS 2 before the commit": _releases_before_the_commit,
}
