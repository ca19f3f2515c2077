"""What the connections of one broker have in common, and the moment at which their writes happen."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from doorward.broker.connections.addresses import PerAddress
from doorward.broker.connections.rates import Rates
from doorward.broker.identity.ports import Certificates, Logins
from doorward.broker.identity.principals import Principals
from doorward.broker.keeping.journal import Journal
from doorward.broker.limits import Limits
from doorward.broker.reports.counters import Counters
from doorward.broker.routing.router import Router

# Nobody has said anything for so long. An acknowledgement comes some 0.2 ms behind its message, on one machine.
_SILENCE_S = 0.0001


class Writer(Protocol):
    """Who has collected something for a client."""

    def write(self) -> None:
        """Write it."""


class Member(Protocol):
    """A connection that is open."""

    def end(self, reason: str, *, will: bool = True) -> None:
        """Close it now; its will is published unless it left in good order."""

    def check(self, now: float) -> None:
        """Close it if it says nothing."""


@dataclass(slots=True)
class Exchange:
    """What all connections of a broker share."""

    principals: Principals
    logins: Logins
    certificates: Certificates
    router: Router
    journal: Journal
    limits: Limits
    clock: Callable[[], float]
    rates: Rates = field(init=False)
    callers: PerAddress = field(init=False)
    counters: Counters = field(default_factory=Counters)
    connections: set[Member] = field(default_factory=set)
    unwritten: list[Writer] = field(default_factory=list)
    flushing: bool = False
    heard: float = 0.0  # when somebody said something; seconds of the clock
    deciding: set[asyncio.Task[None]] = field(default_factory=set)  # logins that take a while

    def __post_init__(self) -> None:
        """Begin to count."""
        self.rates = Rates(self.limits, self.clock)
        self.callers = PerAddress(self.limits.connections_per_address)

    def take_in(self, connection: Member, host: str) -> str:
        """Count a connection in. Why it is one too many, or nothing."""
        full = len(self.connections) >= self.limits.connections
        full_of_these = self.callers.is_full(host)
        self.connections.add(connection)
        self.callers.add(host)
        counters = self.counters
        counters.most_connections = max(counters.most_connections, len(self.connections))
        if full_of_these:
            return "too many connections from its address"
        return "too many connections" if full else ""

    def let_go(self, connection: Member, host: str) -> None:
        """A connection is closed."""
        self.connections.discard(connection)
        self.callers.discard(host)

    async def end_logins(self) -> None:
        """Let nobody in whose login is not decided; return when no password is tried for one of them any more."""
        while deciding := tuple(self.deciding):
            await asyncio.sleep(0)  # each has to have begun, see `Entrance.leave`
            for task in deciding:
                task.cancel()
            await asyncio.wait(deciding)

    def flush_soon(self) -> None:
        """Flush when everything that has come by now was looked at: one write a client, one batch for the disk.

        What breaks a silence is passed on at once: waiting for the loop's next turn takes an eighth of our time for it.
        """
        now = self.clock()
        if now - self.heard > _SILENCE_S:
            self.write()
        self.heard = now
        if not self.flushing:
            self.flushing = True
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Write what was collected for every client, then hand over what has to reach the disk."""
        self.flushing = False
        self.write()
        self.journal.flush()

    def write(self) -> None:
        """Write what was collected for every client."""
        while self.unwritten:
            self.unwritten.pop().write()
