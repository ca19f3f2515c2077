"""A few at a time, and by turns: a crowd that comes from one place keeps nobody from another place waiting."""

import asyncio
import contextlib
from collections import OrderedDict, deque
from collections.abc import AsyncIterator


class Turns:
    """Lets `at_once` in together. The rest stand in one line a place, and the places are asked in turn."""

    def __init__(self, at_once: int) -> None:
        """Begin with nobody."""
        self._free = at_once
        self._lines: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        self.waiting = 0

    def waiting_from(self, place: str) -> int:
        """How many stand in the line of one place."""
        return len(self._lines.get(place, ()))

    @contextlib.asynccontextmanager
    async def turn(self, place: str) -> AsyncIterator[None]:
        """Wait for a turn and hold it inside the block. Who is cancelled while waiting leaves the line."""
        if self._free:
            self._free -= 1
        else:
            await self._stand_in_line(place)
        try:
            yield
        finally:
            self._pass_on()

    async def _stand_in_line(self, place: str) -> None:
        mine = asyncio.get_running_loop().create_future()
        self._lines.setdefault(place, deque()).append(mine)
        self.waiting += 1
        try:
            await mine
        except asyncio.CancelledError:
            if mine.cancelled():
                self._leave(place, mine)
            else:
                self._pass_on()  # it had been given its turn
            raise

    def _leave(self, place: str, mine: asyncio.Future[None]) -> None:
        line = self._lines.get(place)
        if line is None or mine not in line:
            return  # it was passed over already
        line.remove(mine)
        self.waiting -= 1
        if not line:
            del self._lines[place]

    def _pass_on(self) -> None:
        while self._lines:
            place, line = self._lines.popitem(last=False)
            first = line.popleft()
            self.waiting -= 1
            if line:
                self._lines[place] = line  # behind the other places
            if not first.done():
                first.set_result(None)
                return
        self._free += 1
