"""What the broker would be without one of its promises. Each is to be run in a process of its own, and to be caught."""

from collections.abc import Callable

from doorward.broker.journal import Journal
from doorward.database import engine


def _acknowledges_before_the_commit() -> None:
    Journal.acknowledge = lambda _journal, link, packet: link.acknowledge(packet)  # type: ignore[method-assign]


def _commits_without_sync() -> None:
    weaker = tuple(pragma.replace("FULL", "NORMAL") for pragma in engine._PRAGMAS)
    assert weaker != engine._PRAGMAS
    engine._PRAGMAS = weaker


def _forgets_what_it_took_at_qos_2() -> None:
    Journal.receive = lambda _journal, *_key, held: None  # type: ignore[method-assign]


MUTANTS: dict[str, Callable[[], None]] = {
    "acknowledges before the commit": _acknowledges_before_the_commit,
    "commits without sync": _commits_without_sync,
    "forgets what it took at QoS 2": _forgets_what_it_took_at_qos_2,
}
