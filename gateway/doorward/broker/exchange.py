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
    deciding: set[asyncio.Task[None]] = field(default_factory=set)  # logins that take a while

    def flush(self) -> None:
        """Write what an event made every client receive, then hand over what has to reach the disk."""
        while self.unwritten:
            self.unwritten.pop().write()
        self.journal.flush()
