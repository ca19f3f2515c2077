"""The disk of a running broker, which takes as long as the test says."""

import asyncio
import contextlib

from broker_support import PATIENCE


class Disk:
    """The store of a broker, whose commits wait while it is held."""

    def __init__(self, broker):
        self._broker = broker
        self._write = broker._store.write
        self._waiting = []
        self._held = asyncio.Event()
        broker._store.write = self._take

    def _take(self, batch, done):
        self._waiting.append((batch, done))
        self._held.set()

    async def holds(self, what):
        """Wait until it was handed a batch that `what` accepts; what could be said at once is said by then."""
        async with asyncio.timeout(PATIENCE):
            while not any(what(batch) for batch, _ in self._waiting):
                self._held.clear()
                await self._held.wait()

    def let_go(self):
        self._broker._store.write = self._write
        waiting, self._waiting = self._waiting, []
        for batch, done in waiting:
            self._write(batch, done)

    def refuse(self):
        waiting, self._waiting = self._waiting, []
        for _, done in waiting:
            done(OSError("disk full"))


@contextlib.contextmanager
def held(broker):
    """Nothing reaches the disk before the test says so."""
    disk = Disk(broker)
    try:
        yield disk
    finally:
        disk.let_go()
