"""What boards at work are offered, and the pieces of it that they ask for."""

from doorward.app.messages.fleet import Device, Fleet
from doorward.app.ports import Clock
from doorward.app.updates.orders import OrderBook
from doorward.app.updates.pieces import Pieces
from doorward.app.updates.progress import Progress
from doorward.app.updates.shelf import Shelf
from doorward.domain import updates
from doorward.domain.updates import UpdateOrder
from doorward.errors import Rejected
from doorward_core import gateway_seal, topics
from doorward_core.gateway_messages import CommandAck


class Offers:
    """Holds in memory the firmware of every roll-out under way, and no other."""

    def __init__(
        self, shelf: Shelf, fleet: Fleet, orders: OrderBook, progress: Progress, clock: Clock
    ) -> None:
        self._shelf = shelf
        self._fleet = fleet
        self._orders = orders
        self._progress = progress
        self._clock = clock
        self._pieces: dict[int, Pieces] = {}  # by roll-out: a version may be another one later

    async def load(self, order: UpdateOrder) -> None:
        """Have what is to be offered at hand. Raises NotFound, Unavailable."""
        for over in self._pieces.keys() - self._orders.under_way():
            del self._pieces[over]
        if order.rollout not in self._pieces:
            bundle = await self._shelf.take(order.version, actor=order.actor)
            self._pieces[order.rollout] = Pieces(bundle)

    async def again(self, order: UpdateOrder) -> None:
        """Offer once more what is offered still."""
        await self.load(order)
        if self._orders.get(order.device) == order:
            self.send(order)

    def send(self, order: UpdateOrder) -> None:
        """Offer what was loaded, if the board is there."""
        pieces, device = self._pieces.get(order.rollout), self._fleet.find(order.device)
        if pieces is not None and device is not None and device.online:
            word = gateway_seal.counter_word(order.number)
            self._fleet.say(order.device, topics.FIRMWARE, word, pieces.offer(order.until))

    def wanted(self, device: Device, ack: CommandAck) -> None:
        """A board asks for a piece. Raises Rejected for what is not its order."""
        order = self._orders.get(device.id)
        if order is None or order.number != ack.version:
            raise Rejected("a request for a firmware that this board was not offered")
        if order.state == updates.CANCELLED:
            return  # it has not heard of that, and stops when nobody answers
        if order.state != updates.OFFERED:
            raise Rejected("a request for a firmware that this board is offered no more")
        pieces = self._pieces.get(order.rollout)
        if pieces is None:
            return  # read first: the board asks again
        piece = pieces.piece(order.number, ack.offset)
        self._fleet.say(device.id, topics.FIRMWARE, gateway_seal.counter_word(order.number), piece)
        if self._progress.asked(order, ack.offset, pieces.total, self._clock.monotonic()):
            self._progress.tell(order)
