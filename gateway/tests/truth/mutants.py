"""What the broker would be without one of its promises. Each is to be run in a process of its own, and to be caught."""

import asyncio
from collections.abc import Callable
from typing import Any

from doorward.broker.connection import Connection
from doorward.broker.gate import Gate
from doorward.broker.journal import Journal
from doorward.broker.store import BrokerStore
from doorward.database import engine
from doorward_core import mqtt, mqtt_server

_SLOW_S = 0.2  # longer than a client takes to answer


def _acknowledges_before_the_commit() -> None:
    Journal.acknowledge = lambda _journal, link, packet: link.acknowledge(packet)  # type: ignore[method-assign]


def _commits_without_sync() -> None:
    weaker = tuple(pragma.replace("FULL", "NORMAL") for pragma in engine._PRAGMAS)
    assert weaker != engine._PRAGMAS
    engine._PRAGMAS = weaker


def _forgets_what_it_took_at_qos_2() -> None:
    Journal.receive = lambda _journal, *_key, held: None  # type: ignore[method-assign]


from doorward_core import mqtt, mqtt_server

_SLOW_S = 0.2  # longer than a client takes to answer


MUTANTS: dict[str, Callable[[], None]] = {
    "acknowledges before the commit": _acknowledges_before_the_commit,
    "commits without sync": _commits_without_sync,
    "does not expect a short SUBSCRIBE": _does_not_expect_a_short_subscribe,
    "remembers every connection": _remembers_every_connection,
    "forgets what it took at QoS 2": _forgets_what_it_took_at_qos_2,
    "delivers QoS 2 before the commit": _delivers_before_the_commit,
    "releases QoS 2 before the commit": _releases_before_the_commit,
}
