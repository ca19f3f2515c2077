"""The record of what a board's pins did. Nothing else in the lab or in a test may say whether a door opened."""

import asyncio

from doorward_lab.wire import Duty, Edge


class Witness:
    """Edges and reader polls in the order in which the lab received them."""

    def __init__(self) -> None:
        """Start with an empty record."""
        self.edges: list[Edge] = []
        self.seen: list[int] = []
        self.duties: list[Duty] = []
        self.levels: dict[int, int] = {}  # outputs that are driven now
        self._waiting: set[asyncio.Future[None]] = set()

    def edge(self, pin: int, level: int | None, at_ns: int, seen_ns: int | None = None) -> None:
        """Record that `pin` went to `level`; None = it is no longer driven."""
        if level is None:
            self.levels.pop(pin, None)
        else:
            self.levels[pin] = level
        self.edges.append(Edge(pin, level, at_ns, seen_ns))
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)

    def released(self, at_ns: int) -> None:
        """Record that the chip lost power or was reset: every pin stops driving."""
        for pin in list(self.levels):
            self.edge(pin, None, at_ns)

    def first(self, pin: int, level: int | None, since_ns: int) -> Edge | None:
        """Return the first edge of `pin` to `level` at or after `since_ns`."""
        found = (
            edge
            for edge in self.edges
            if edge.pin == pin and edge.level == level and edge.at_ns >= since_ns
        )
        return next(found, None)

    async def wait(self, pin: int, level: int | None, since_ns: int) -> Edge:
        """Return `first`, as soon as there is one."""
        while True:
            edge = self.first(pin, level, since_ns)
            if edge is not None:
                return edge
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.add(waiter)
            try:
                await waiter
            finally:
                self._waiting.discard(waiter)
