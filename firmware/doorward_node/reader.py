# Watches one reader: reports a card once when it comes, and brings a dead reader back.

import asyncio
from time import ticks_ms

from doorward_core.compat import const, ticks_diff
from doorward_drivers import ReaderError
from doorward_node import flight

# A card counts as gone after this many polls without it: one may be lost to noise.
_GONE = const(2)
# How often the chip is asked whether it is still the one that was set up.
_HEALTH_POLLS = const(20)
_RETRY_MS = const(500)
# flight.py has its codes.
_LOST = const(8)


class ReaderWatch:
    # reader: drivers.mfrc522.Mfrc522 or another with its calls; on_card(uid) must not wait; on_reset(count) follows a
    # recovery. `alive` is the tick of the last step: the supervisor looks at it.
    def __init__(self, reader, poll_ms: int, on_card, on_reset) -> None:
        self.reader = reader
        self.poll_ms = poll_ms
        self.on_card = on_card
        self.on_reset = on_reset
        self.resets = 0
        self.alive = ticks_ms()

    async def run(self) -> None:
        failed = False
        while True:
            self.alive = ticks_ms()
            try:
                await self.reader.start()
                if failed:
                    self.resets += 1
                    self.on_reset(self.resets)
                failed = False
                await self._watch()
            except ReaderError:
                failed = True
                flight.note(_LOST)
            await asyncio.sleep_ms(_RETRY_MS)

    async def _watch(self) -> None:
        present = None
        misses = 0
        polls = 0
        while True:
            self.alive = started = ticks_ms()
            uid = await self.reader.poll()
            if uid is None:
                misses += 1
                if misses >= _GONE:
                    present = None
            else:
                misses = 0
                if uid != present:
                    present = uid
                    self.on_card(uid)
            polls += 1
            if polls >= _HEALTH_POLLS:
                polls = 0
                if not self.reader.healthy():
                    raise ReaderError("the reader has lost its settings")
            left = self.poll_ms - ticks_diff(ticks_ms(), started)
            await asyncio.sleep_ms(left if left > 0 else 0)
