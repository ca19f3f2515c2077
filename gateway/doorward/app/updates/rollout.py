"""Roll-outs: boards get a firmware one after the other, and when one of them fails the others keep what they have."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import structlog

from doorward.app.messages.fleet import Device
from doorward.app.ports import Clock, Spawn
from doorward.app.updates.boards import Boards
from doorward.app.updates.deadlines import Deadlines
from doorward.app.updates.offers import Offers
from doorward.app.updates.orders import OrderBook
from doorward.app.updates.progress import Progress, view_of
from doorward.app.updates.shelf import Shelf
from doorward.app.updates.trusting import Trusting
from doorward.app.updates.watch import Watch
from doorward.app.views.boards import UpdateView
from doorward.domain import audit, updates
from doorward.domain.updates import UpdateOrder
from doorward.errors import Conflict, DoorwardError, NothingToDo
from doorward_core.gateway_messages import Event, Hello
from doorward_core.gateway_updates import EVENT, Report

_log = structlog.get_logger(__name__)

_ENDS = {
    updates.FAILED: audit.UPDATE_FAILED,
    updates.STOPPED: audit.UPDATE_STOPPED,
    updates.CANCELLED: audit.UPDATE_CANCELLED,
}


class Rollouts:
    """Offers and waits. A gateway that starts again goes on where it was; roll-outs do not wait for each other."""

    def __init__(
        self,
        shelf: Shelf,
        offers: Offers,
        trusting: Trusting,
        boards: Boards,
        orders: OrderBook,
        progress: Progress,
        clock: Clock,
        spawn: Spawn,
    ) -> None:
        self._shelf = shelf
        self._offers = offers
        self._trusting = trusting
        self._boards = boards
        self._orders = orders
        self._progress = progress
        self._clock = clock
        self._spawn = spawn
        self._preparing: set[int] = set()
        self._changing = asyncio.Lock()
        self._deadlines = Deadlines(orders, clock)
        self._watch = Watch(
            orders, boards, progress, clock, spawn, self._keep_deadlines, self._again, self._give_up
        )

    def list(self) -> tuple[UpdateView, ...]:
        """What became of the newest order of every board that ever had one."""
        return tuple(view_of(order, self._progress.percent(order)) for order in self._orders.list())

    def of(self, device: str) -> UpdateView | None:
        """The newest order of a board."""
        order = self._orders.get(device)
        return view_of(order, self._progress.percent(order)) if order else None

    def available(self, device: str) -> str | None:
        """A newer firmware than the board runs, if there is one."""
        return self._shelf.available(self._boards.running(device))

    async def begin(
        self, names: Sequence[str] | None, version: str | None, *, actor: str
    ) -> tuple[UpdateView, ...]:
        """Have these boards take a version (the newest), one after the other; None: all that are online and lack it.

        Raises NotFound, Unavailable for a board that is away, Conflict where one of them has an order that is not
        over, and NothingToDo where none of all lacks it.
        """
        async with self._changing, self._shelf.changing:
            chosen = self._boards.idle() if names is None else tuple(dict.fromkeys(names))
            for name in chosen:
                self._boards.check(name)
            bundle = await self._shelf.take(version, actor=actor)
            if names is None:
                chosen = tuple(
                    name for name in chosen if self._boards.running(name) != bundle.version
                )
                if not chosen:
                    raise NothingToDo(
                        f"every board that is online runs firmware {bundle.version}, or is being updated",
                        "there is nothing to do",
                    )
            rollout, now = self._orders.next_number(), self._orders.now_ms()
            order = UpdateOrder(
                "", rollout, rollout, 0, bundle.version, actor, updates.WAITING, now
            )
            await self._orders.put(
                replace(order, device=name, place=place) for place, name in enumerate(chosen)
            )
        self._spawn(self._go_on(rollout))
        return tuple(view for view in self.list() if view.rollout == rollout)

    async def cancel(self, names: Sequence[str] | None, *, actor: str) -> tuple[UpdateView, ...]:
        """Call back what these boards have not installed, None: what no board has; the others of a roll-out go on.

        Raises NotFound, and Conflict where there is nothing to call back: a board on trial goes back by itself.
        """
        async with self._changing:
            if names is None:
                chosen = [each for each in self._orders.list() if each.state in updates.RECALLABLE]
                if not chosen:
                    raise Conflict("no update is under way that could be cancelled")
            else:
                chosen = [self._boards.recallable(name) for name in dict.fromkeys(names)]
            for order in chosen:
                await self._end(order, updates.CANCELLED, f"by {actor}", actor)
        for rollout in {order.rollout for order in chosen}:
            self._spawn(self._go_on(rollout))
        devices = {order.device for order in chosen}
        return tuple(view for view in self.list() if view.device in devices)

    def resume(self) -> None:
        """Go on with what is not over: after each connection to the broker."""
        self._spawn(self._resume())

    async def _resume(self) -> None:
        for order in self._orders.list():
            if order.state in updates.AT_WORK:
                await self._catch_up(order)
        for rollout in self._orders.under_way():
            self._spawn(self._go_on(rollout))

    # --- what boards say ---

    def hello(self, device: Device, _said: Hello) -> None:
        """A board has said hello: what it was offered is offered again, and it goes on where it was."""
        order = self._orders.get(device.id)
        if order is None or not device.online:
            return
        if order.state == updates.OFFERED:
            self._spawn(self._greet(device.id))
        elif order.state == updates.WAITING:
            self._spawn(self._go_on(order.rollout))  # it may be its turn

    async def _greet(self, device: str) -> None:
        await self._keep_deadlines()
        order = self._orders.get(device)
        if order is not None and order.state == updates.OFFERED:
            await self._again(order)

    def happened(self, device: str, event: Event) -> None:
        """A board's log says how far it is; the audit has it already."""
        if event.kind != EVENT:
            return
        report = Report(event.data)
        order = self._orders.get(device)
        if order is not None and order.number == report.order and order.state in updates.TELLS:
            self._spawn(self._turn(order, report.state, report.reason))

    # --- from board to board ---

    async def _go_on(self, rollout: int) -> None:
        """Offer to the next board of a roll-out, unless one is at work; where one failed, stop the rest."""
        async with self._changing:
            order = None if rollout in self._preparing else await self._next(rollout)
            self._watch.begin()
            if order is None:
                return
            self._preparing.add(rollout)
        problem = ""
        try:
            await self._trusting.give(
                order.device, await self._shelf.signatory(), actor=order.actor
            )
            await self._offers.load(order)
        except DoorwardError as failure:
            _log.warning("update.failed", device=order.device, error=failure.problem)
            problem = failure.problem
        finally:
            self._preparing.discard(rollout)
        async with self._changing:
            stays = self._orders.get(order.device) == order  # and nobody has called it back
            if stays and problem:
                await self._end(order, updates.FAILED, problem)
            elif stays:
                await self._offer(order)
            self._watch.begin()
        if problem or not stays:
            await self._go_on(rollout)

    async def _next(self, rollout: int) -> UpdateOrder | None:
        """Whose turn it is."""
        orders = self._orders.of(rollout)
        waiting = [order for order in orders if order.state == updates.WAITING]
        if not waiting or any(order.state in updates.AT_WORK for order in orders):
            return None
        failed = next((order for order in orders if order.state in updates.BAD), None)
        if failed is None:
            # A gateway that has just started has heard of no board yet: it comes, or is given up.
            return waiting[0] if self._boards.is_online(waiting[0].device) else None
        for order in waiting:
            why = f"{failed.device}: {failed.reason or failed.state}"
            await self._end(order, updates.STOPPED, why)
        return None

    async def _offer(self, order: UpdateOrder) -> None:
        await self._deadlines.keep()
        # A number of its own: the board may have ended the one before it.
        order = replace(
            order.turned(updates.OFFERED, self._orders.now_ms()),
            number=self._orders.next_number(),
        )
        why = f"The board {order.device} was offered firmware {order.version}."
        await self._orders.record(order, audit.UPDATE_OFFERED, why)
        self._progress.asked(order, 0, 0, self._clock.monotonic())
        self._offers.send(order)

    async def _turn(self, order: UpdateOrder, state: str, reason: str) -> None:
        """A board is further on: with its last step its roll-out goes on, or stops."""
        async with self._changing:
            known = self._orders.get(order.device)
            if known is None or known.number != order.number or known.state not in updates.TELLS:
                return
            # A board that runs it already has nothing to install, and nothing is wrong with that.
            if (state, reason) == (updates.REFUSED, "current"):
                state = updates.CONFIRMED
            await self._orders.put([known.turned(state, self._orders.now_ms(), reason)])
        await self._go_on(order.rollout)

    async def _catch_up(self, order: UpdateOrder) -> None:
        """What a board says is on record first; what follows of it may have failed, or been cut off by a kill."""
        for said in await self._orders.reports(order):
            if said.state != order.state:
                await self._turn(order, said.state, said.reason)

    async def _end(
        self, order: UpdateOrder, state: str, why: str, actor: str | None = None
    ) -> None:
        """An order comes to nothing, and the board itself has not said so."""
        ended = order.turned(state, self._orders.now_ms(), why)
        kept = f"The board {order.device} keeps the firmware that it has."
        await self._orders.record(ended, _ENDS[state], kept, note=why, actor=actor)

    # --- what Watch asks for ---

    async def _keep_deadlines(self) -> None:
        async with self._changing:
            await self._deadlines.keep()

    async def _again(self, order: UpdateOrder) -> None:
        """Offer once more; what cannot be read any more is offered to nobody, and keeps no other roll-out waiting."""
        try:
            await self._offers.again(order)
        except DoorwardError as failure:
            _log.warning("update.failed", device=order.device, error=failure.problem)
            await self._give_up(order, failure.problem)

    async def _give_up(self, order: UpdateOrder, why: str) -> None:
        await self._catch_up(order)
        async with self._changing:
            if self._orders.get(order.device) != order:
                return  # it has spoken while we waited for our turn
            await self._end(order, updates.FAILED, why)
        await self._go_on(order.rollout)
