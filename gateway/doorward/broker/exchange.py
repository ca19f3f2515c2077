"""What the connections of one broker have in common, and the moment at which their writes happen."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from doorward.broker.addresses import PerAddress
from doorward.broker.counters import Counters
from doorward.broker.journal import Journal
from doorward.broker.limits import Limits
from doorward.broker.ports import Certificates, Logins
from doorward.broker.principals import Principals
from doorward.broker.rates import Rates
from doorward.broker.router import Router

if TYPE_CHECKING:
    from doorward.broker.connection import Connection


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
    rates: Rates
    callers: PerAddress
    counters: Counters = field(default_factory=Counters)
    connections: "set[Connection]" = field(default_factory=set)
    unwritten: "list[Connection]" = field(default_factory=list)
    flushing: bool = False
    deciding: set[asyncio.Task[None]] = field(default_factory=set)  # logins that take a while

    def flush_soon(self) -> None:
        """Flush when everything that has come by now was looked at: one write a client, one batch for the disk."""
        if not self.flushing:
            self.flushing = True
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Write what was collected for every client, then hand over what has to reach the disk."""
        self.flushing = False
        while self.unwritten:
            self.unwritten.pop().write()
        self.journal.flush()
