"""The newest order of every board: in memory, on record, and told."""

from collections.abc import Iterable
from typing import Protocol

from doorward.app.access.announcer import Announcer
from doorward.app.firmware_ports import UpdateStore
from doorward.app.ports import AuditStore, Clock, LogStore
from doorward.app.updates.progress import Progress
from doorward.domain import audit, updates
from doorward.domain.audit import AuditRow
from doorward.domain.instants import milliseconds
from doorward.domain.updates import UpdateOrder
from doorward_core import gateway_messages
from doorward_core.gateway_updates import EVENT, Report
from doorward_core.messages import MessageError


class Store(UpdateStore, LogStore, AuditStore, Protocol):
    """Where orders are kept, what boards have said of them, and what became of them."""


class OrderBook:
    """Orders by board. They are kept: a gateway that starts again goes on where it was."""

    def __init__(
        self, store: Store, progress: Progress, announcer: Announcer, clock: Clock
    ) -> None:
        self._store = store
        self._progress = progress
        self._announcer = announcer
        self._clock = clock
        self._orders = {order.device: order for order in store.update_orders()}

    def get(self, device: str) -> UpdateOrder | None:
        """The newest order of a board."""
        return self._orders.get(device)

    def list(self) -> tuple[UpdateOrder, ...]:
        """Of all boards that ever had one, by id."""
        return tuple(self._orders[device] for device in sorted(self._orders))

    def of(self, rollout: int) -> "tuple[UpdateOrder, ...]":
        """A roll-out, in its order."""
        orders = (order for order in self._orders.values() if order.rollout == rollout)
        return tuple(sorted(orders, key=lambda order: order.place))

    def actor(self, device: str, number: int) -> str | None:
        """Who gave this order."""
        order = self._orders.get(device)
        return order.actor if order is not None and order.number == number else None

    async def reports(self, order: UpdateOrder) -> "tuple[Report, ...]":
        """What the board's log says of this order, oldest first."""
        since = min(order.number, order.changed_ms)
        told = map(_report, await self._store.told_since(order.device, since))
        return tuple(said for said in told if said is not None and said.order == order.number)

    def now_ms(self) -> int:
        """The time as orders keep it."""
        return milliseconds(self._clock.now())

    def next_number(self) -> int:
        """Above all that were used; milliseconds, so that it is so in a restored database, too."""
        newest = max((order.number for order in self._orders.values()), default=0)
        return max(newest + 1, self.now_ms())

    async def put(self, orders: Iterable[UpdateOrder]) -> None:
        """Keep these."""
        await self._put(tuple(orders), None)

    def under_way(self) -> set[int]:
        """Every roll-out that is not over."""
        return {order.rollout for order in self._orders.values() if order.state in updates.OPEN}

    def wants(self, version: str) -> bool:
        """Whether somebody is to get this version, or is getting it."""
        return any(
            order.version == version and order.state in updates.OPEN
            for order in self._orders.values()
        )

    async def record(
        self,
        order: UpdateOrder,
        kind: str,
        why: str,
        *,
        note: str | None = None,
        actor: str | None = None,
    ) -> None:
        """Keep an order, and what it came to in the audit. actor: who ended it, where that was somebody else."""
        row = AuditRow(
            at_ms=self.now_ms(),
            kind=kind,
            source=audit.OPERATOR,
            device=order.device,
            actor=actor or order.actor,
            why=why,
            note=note,
        )
        await self._put((order,), row)

    async def _put(self, orders: tuple[UpdateOrder, ...], row: AuditRow | None) -> None:
        stored = await self._store.put_update_orders(orders, row)
        for order in orders:
            self._orders[order.device] = order
            self._progress.tell(order)
        self._announcer.announce([stored] if stored is not None else [])


def _report(body: bytes) -> Report | None:
    """What an entry says of an update; None for every other entry, also for one that cannot be read."""
    if b'"update"' not in body:
        return None
    try:
        event = gateway_messages.parse_event(body)
        return Report(event.data) if event.kind == EVENT else None
    except MessageError:
        return None
