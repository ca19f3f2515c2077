"""Which boards can be updated, and which updates can be called back."""

from doorward.app.devices.registry import Registry
from doorward.app.messages.fleet import Fleet
from doorward.app.updates.orders import OrderBook
from doorward.domain import devices, updates
from doorward.domain.updates import UpdateOrder
from doorward.errors import Conflict, NotFound


class Boards:
    """The boards of the site, as a roll-out looks at them."""

    def __init__(self, registry: Registry, fleet: Fleet, orders: OrderBook) -> None:
        self._registry = registry
        self._fleet = fleet
        self._orders = orders

    def idle(self) -> tuple[str, ...]:
        """Every board that is online and not being updated."""
        known = (board.id for board in self._registry.list() if board.state == devices.APPROVED)
        return tuple(name for name in known if self.is_online(name) and not self._is_busy(name))

    def running(self, name: str) -> str | None:
        """The version that a board has said it runs."""
        device = self._fleet.find(name)
        return device.firmware if device is not None else None

    def check(self, name: str) -> None:
        """Raises NotFound, Unavailable, Conflict unless an update of this board can begin."""
        known = self._registry.get(name)
        if known is None or known.state != devices.APPROVED:
            raise NotFound(
                f"there is no board {name!r} that was approved",
                "`doorward device list` shows them all",
                field="id",
            )
        self._fleet.present(name, f"the board {name}", "update it when it is back", field="id")
        order = self._orders.get(name)
        if order is not None and order.state in updates.OPEN:
            remedy = f"wait for it, or end it: `doorward device update {name} --cancel`"
            raise Conflict(f"{name} is being updated to {order.version}", remedy, field="id")

    def recallable(self, name: str) -> UpdateOrder:
        """The order of a board that has not installed it. Raises NotFound, Conflict."""
        order = self._orders.get(name)
        if order is None:
            raise NotFound(f"{name} was never told to update", field="id")
        if order.state == updates.INSTALLED:
            remedy = "it goes back by itself if that fails"
            raise Conflict(f"{name} runs {order.version} on trial", remedy, field="id")
        if order.state not in updates.RECALLABLE:
            raise Conflict(f"{name} is not being updated", field="id")
        return order

    def is_online(self, name: str) -> bool:
        """Whether it is there."""
        device = self._fleet.find(name)
        return device is not None and device.online

    def _is_busy(self, name: str) -> bool:
        order = self._orders.get(name)
        return order is not None and order.state in updates.OPEN
