"""Boards at work that are silent: they are offered again what they do not ask for, and given up after long."""

from collections.abc import Awaitable, Callable

from doorward.app.ports import Clock, Spawn, Timer
from doorward.app.updates.boards import Boards
from doorward.app.updates.orders import OrderBook
from doorward.app.updates.progress import Progress
from doorward.domain import updates
from doorward.domain.updates import UpdateOrder

LOOK_S = 20.0  # how often boards at work are looked at, and offered again what they do not ask for
OFFERED_S = 1800  # without getting any further
INSTALLED_S = 3600  # without a word: three starts of ten minutes, and then the old firmware


class Watch:
    """Looks at every board that is not done, as long as there is one."""

    def __init__(
        self,
        orders: OrderBook,
        boards: Boards,
        progress: Progress,
        clock: Clock,
        spawn: Spawn,
        before: Callable[[], Awaitable[None]],
        again: Callable[[UpdateOrder], Awaitable[None]],
        give_up: Callable[[UpdateOrder, str], Awaitable[None]],
    ) -> None:
        """before: called before each look. again: offer once more. give_up: end an order, and say why."""
        self._orders = orders
        self._boards = boards
        self._progress = progress
        self._clock = clock
        self._spawn = spawn
        self._before = before
        self._again = again
        self._give_up = give_up
        self._timer: Timer | None = None

    def begin(self) -> None:
        """Look from now on, where there is something to look at."""
        if self._orders.under_way() and self._timer is None:
            self._timer = self._clock.call_later(LOOK_S, self._look)

    def _look(self) -> None:
        self._timer = None
        self._spawn(self._look_after())
        self.begin()

    async def _look_after(self) -> None:
        """Offer again where nobody asks, and give up where nothing has moved for long."""
        await self._before()
        now = self._clock.monotonic()
        for order in self._orders.list():
            if order.state == updates.WAITING:
                await self._look_for(order, now)
                continue
            if order.state not in updates.AT_WORK:
                continue
            why = self._hopeless(order, now)
            if why:
                await self._give_up(order, why)
            elif (
                order.state == updates.OFFERED
                and now - self._progress.heard(order, now) >= LOOK_S / 2
            ):
                await self._again(order)

    async def _look_for(self, order: UpdateOrder, now: float) -> None:
        """Give up a board that has its turn and stays away."""
        before = [each for each in self._orders.of(order.rollout) if each.place < order.place]
        if self._boards.is_online(order.device) or any(
            each.state in updates.OPEN for each in before
        ):
            return
        if now - self._progress.heard(order, now) > OFFERED_S:
            await self._give_up(order, f"it was offline for {OFFERED_S // 60} minutes")

    def _hopeless(self, order: UpdateOrder, now: float) -> str:
        """Why an order is given up, or nothing."""
        if order.state == updates.INSTALLED:
            silent = now - self._progress.heard(order, now)
            return f"no word for {INSTALLED_S // 60} minutes" if silent > INSTALLED_S else ""
        if order.until * 1000 <= self._orders.now_ms():
            return f"the offer ended after {updates.OFFER_S // 3600} hours"
        stands = now - self._progress.moved(order, now)
        return f"it got no further for {OFFERED_S // 60} minutes" if stands > OFFERED_S else ""
