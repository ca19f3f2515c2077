"""Roll-outs: boards get a firmware one after the other, and when one of them fails the others keep what they have."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import structlog

from doorward.app.devices.registry import Registry
from doorward.app.messages.fleet import Device, Fleet
from doorward.app.ports import Clock, Spawn, Timer
from doorward.app.updates.orders import OrderBook
from doorward.app.updates.pieces import Pieces
from doorward.app.updates.progress import Progress, view_of
from doorward.app.updates.shelf import Shelf
from doorward.app.updates.trusting import Trusting
from doorward.app.views.boards import UpdateView
from doorward.domain import audit, devices, updates
from doorward.domain.updates import UpdateOrder
from doorward.errors import Conflict, DoorwardError, NotFound, Rejected, Unavailable
from doorward_core import gateway_seal, topics
from doorward_core.gateway_messages import CommandAck, Event, Hello
from doorward_core.gateway_updates import EVENT, Report

_log = structlog.get_logger(__name__)

LOOK_S = 20.0  # how often boards at work are looked at, and offered again what they do not ask for
OFFERED_S = 1800  # without a question
INSTALLED_S = 3600  # without a word: three starts of ten minutes, and then the old firmware


class Rollouts:
    """Offers, answers and waits. A gateway that starts again goes on where it was."""

    def __init__(
        self,
        shelf: Shelf,
        trusting: Trusting,
        registry: Registry,
        fleet: Fleet,
        orders: OrderBook,
        progress: Progress,
        clock: Clock,
        spawn: Spawn,
    ) -> None:
        self._shelf = shelf
        self._trusting = trusting
        self._registry = registry
        self._fleet = fleet
        self._orders = orders
        self._progress = progress
        self._clock = clock
        self._spawn = spawn
        self._pieces: Pieces | None = None
        self._changing = asyncio.Lock()
        self._timer: Timer | None = None

    def list(self) -> tuple[UpdateView, ...]:
        """What became of the newest order of every board that ever had one."""
        return tuple(view_of(order, self._progress.percent(order)) for order in self._orders.list())

    def of(self, device: str) -> UpdateView | None:
        """The newest order of a board."""
        order = self._orders.get(device)
        return view_of(order, self._progress.percent(order)) if order else None

    def available(self, device: str) -> str | None:
        """A newer firmware than the board runs, if there is one."""
        return self._shelf.available(self._running(device))

    async def begin(
        self, names: Sequence[str] | None, version: str | None, *, actor: str
    ) -> tuple[UpdateView, ...]:
        """Have these boards take a version (the newest), one after the other; None: all that are online and lack it.

        Raises NotFound, Unavailable for a board that is away, and Conflict where there is nothing to do, or one of
        them has an order that is not over.
        """
        async with self._changing:
            chosen = self._online() if names is None else tuple(dict.fromkeys(names))
            for name in chosen:
                self._check(name)
            bundle = await self._shelf.take(version, actor=actor)
            if names is None:
                chosen = tuple(name for name in chosen if self._running(name) != bundle.version)
                if not chosen:
                    raise Conflict(
                        f"every board that is online runs firmware {bundle.version}",
                        "there is nothing to do",
                    )
            self._pieces = Pieces(bundle)
            rollout, now = self._orders.next_number(), self._orders.now_ms()
            order = UpdateOrder(
                "", rollout, rollout, 0, bundle.version, actor, updates.WAITING, now
            )
            await self._orders.put(
                replace(order, device=name, place=place) for place, name in enumerate(chosen)
            )
        self._spawn(self._go_on(rollout))
        return tuple(view for view in self.list() if view.rollout == rollout)

    def resume(self) -> None:
        """Go on with what is not over: after each connection to the broker."""
        self._spawn(self._resume())

    async def _resume(self) -> None:
        for order in self._orders.list():
            if order.state in updates.AT_WORK:
                await self._catch_up(order)
        is_open = (order.rollout for order in self._orders.list() if order.state in updates.OPEN)
        for rollout in set(is_open):
            await self._go_on(rollout)

    # --- what boards say ---

    def wanted(self, device: Device, ack: CommandAck) -> None:
        """A board asks for a piece. Raises Rejected for what is not its order."""
        order, pieces = self._orders.get(device.id), self._pieces
        if order is None or order.number != ack.version or order.state != updates.OFFERED:
            raise Rejected("a request for a firmware that this board was not offered")
        if pieces is None or pieces.version != order.version:
            return  # read first: the board asks again
        piece = pieces.piece(order.number, ack.offset)
        self._fleet.say(device.id, topics.FIRMWARE, gateway_seal.counter_word(order.number), piece)
        if self._progress.asked(order, ack.offset, pieces.total, self._clock.monotonic()):
            self._progress.tell(order)

    def greeted(self, device: Device, _said: Hello) -> None:
        """A board has said hello: what it was offered is offered again, and it goes on where it was."""
        order = self._orders.get(device.id)
        if order is not None and order.state == updates.OFFERED and device.online:
            self._spawn(self._offer_again(order))

    def happened(self, device: str, event: Event) -> None:
        """A board's log says how far it is; the audit has it already."""
        if event.kind != EVENT:
            return
        report = Report(event.data)
        order = self._orders.get(device)
        if order is not None and order.number == report.order and order.state in updates.OPEN:
            self._spawn(self._turn(order, report.state, report.reason))

    # --- from board to board ---

    async def _go_on(self, rollout: int) -> None:
        """Offer to the next board of a roll-out, unless one is at work; where one failed, stop the rest."""
        async with self._changing:
            orders = self._orders.of(rollout)
            waiting = [order for order in orders if order.state == updates.WAITING]
            self._watch()
            if not waiting or any(order.state in updates.AT_WORK for order in orders):
                return
            failed = next((order for order in orders if order.state in updates.BAD), None)
            if failed is not None:
                for order in waiting:
                    why = f"{failed.device}: {failed.reason or failed.state}"
                    await self._end(order, updates.STOPPED, why)
                return
            order = waiting[0]
            failed_to_begin = False
            try:
                await self._trusting.give(
                    order.device, await self._shelf.signatory(), actor=order.actor
                )
                await self._load(order)
                await self._offer(order)
            except DoorwardError as failure:
                _log.warning("update.failed", device=order.device, error=failure.problem)
                await self._end(order, updates.FAILED, failure.problem)
                failed_to_begin = True
            self._watch()
        if failed_to_begin:
            await self._go_on(rollout)

    async def _offer(self, order: UpdateOrder) -> None:
        # A number of its own: the board may have ended the one before it.
        order = replace(
            order.turned(updates.OFFERED, self._orders.now_ms()),
            number=self._orders.next_number(),
        )
        why = f"The board {order.device} was offered firmware {order.version}."
        await self._orders.record(order, audit.UPDATE_OFFERED, why)
        self._progress.asked(order, 0, 0, self._clock.monotonic())
        self._send(order)

    async def _offer_again(self, order: UpdateOrder) -> None:
        await self._load(order)
        if self._orders.get(order.device) == order:
            self._send(order)

    def _send(self, order: UpdateOrder) -> None:
        device = self._fleet.find(order.device)
        if self._pieces is not None and device is not None and device.online:
            word = gateway_seal.counter_word(order.number)
            self._fleet.say(order.device, topics.FIRMWARE, word, self._pieces.offer())

    async def _load(self, order: UpdateOrder) -> None:
        if self._pieces is None or self._pieces.version != order.version:
            self._pieces = Pieces(await self._shelf.take(order.version, actor=order.actor))

    async def _turn(self, order: UpdateOrder, state: str, reason: str) -> None:
        """A board is further on: with its last step its roll-out goes on, or stops."""
        async with self._changing:
            known = self._orders.get(order.device)
            if known is None or known.number != order.number or known.state not in updates.OPEN:
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

    async def _end(self, order: UpdateOrder, state: str, why: str) -> None:
        """An order comes to nothing, and the board itself has not said so."""
        ended = order.turned(state, self._orders.now_ms(), why)
        kind = audit.UPDATE_STOPPED if state == updates.STOPPED else audit.UPDATE_FAILED
        kept = f"The board {order.device} keeps the firmware that it has."
        await self._orders.record(ended, kind, kept, note=why)

    # --- who is silent ---

    def _watch(self) -> None:
        at_work = any(order.state in updates.AT_WORK for order in self._orders.list())
        if at_work and self._timer is None:
            self._timer = self._clock.call_later(LOOK_S, self._look)

    def _look(self) -> None:
        self._timer = None
        self._spawn(self._look_after())
        self._watch()

    async def _look_after(self) -> None:
        """Offer again where nobody asks, and give up where nobody has spoken for long."""
        now = self._clock.monotonic()
        for order in self._orders.list():
            if order.state not in updates.AT_WORK:
                continue
            limit = INSTALLED_S if order.state == updates.INSTALLED else OFFERED_S
            silent = now - self._progress.heard(order, now)
            if silent > limit:
                await self._give_up(order, f"no word for {limit // 60} minutes")
            elif order.state == updates.OFFERED and silent >= LOOK_S / 2:
                await self._offer_again(order)

    async def _give_up(self, order: UpdateOrder, why: str) -> None:
        await self._catch_up(order)
        async with self._changing:
            if self._orders.get(order.device) != order:
                return  # it has spoken while we waited for our turn
            await self._end(order, updates.FAILED, why)
        await self._go_on(order.rollout)

    # --- which boards ---

    def _online(self) -> tuple[str, ...]:
        known = (board.id for board in self._registry.list() if board.state == devices.APPROVED)
        return tuple(name for name in known if self._is_online(name))

    def _is_online(self, name: str) -> bool:
        device = self._fleet.find(name)
        return device is not None and device.online

    def _running(self, name: str) -> str | None:
        device = self._fleet.find(name)
        return device.firmware if device is not None else None

    def _check(self, name: str) -> None:
        known = self._registry.get(name)
        if known is None or known.state != devices.APPROVED:
            raise NotFound(
                f"there is no board {name!r} that was approved",
                "`doorward device list` shows them all",
                field="id",
            )
        if not self._is_online(name):
            raise Unavailable(
                f"the board {name} is offline", "update it when it is back", field="id"
            )
        order = self._orders.get(name)
        if order is not None and order.state in updates.OPEN:
            raise Conflict(f"{name} is being updated to {order.version}", "wait for it", field="id")
