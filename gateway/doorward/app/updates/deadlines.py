"""When offers end: a day after they were made, whatever becomes of the time of day meanwhile.

A small computer without a clock of its own learns the time only after its start, and may be years behind until then.
Boards have their time from the gateway, so what they were offered before has to be told them anew.
"""

from dataclasses import replace

from doorward.app.ports import Clock
from doorward.app.updates.orders import OrderBook
from doorward.domain import updates

_STEP_MS = (
    60_000  # what is less is a clock that is a little fast or slow, and is left in the order's day
)


class Deadlines:
    """Tells by the clock that nobody sets how far the other one was set."""

    def __init__(self, orders: OrderBook, clock: Clock) -> None:
        self._orders = orders
        self._clock = clock
        self._apart = self._apart_ms()

    async def keep(self) -> None:
        """Move every offer as far as the time of day was set since the last call, but none into the future.

        Call it before an offer is looked at or sent, and let nobody else change orders meanwhile.
        """
        apart = self._apart_ms()
        step = apart - self._apart
        if abs(step) < _STEP_MS:
            return
        now = self._orders.now_ms()
        await self._orders.put(
            replace(order, changed_ms=min(order.changed_ms + step, now))
            for order in self._orders.list()
            if order.state == updates.OFFERED
        )
        self._apart = apart

    def _apart_ms(self) -> int:
        return self._orders.now_ms() - int(self._clock.monotonic() * 1000)
