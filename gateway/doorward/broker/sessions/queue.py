"""What waits to be sent to one client."""

from collections import deque

from doorward.broker.keeping.messages import Delivery
from doorward.broker.limits import Limits
from doorward.broker.sessions.share import EACH, Share


class Queue:
    """Messages in the order in which they are to be sent, within the client's limits and its user's share."""

    __slots__ = ("_bytes", "_limits", "messages", "share")

    def __init__(self, limits: Limits, share: Share | None) -> None:
        """Nothing waits. `share`: what may wait in all sessions of the same user."""
        self.messages: deque[Delivery] = deque()  # to be looked at
        self.share = share
        self._limits = limits
        self._bytes = 0

    def is_full(self, size: int) -> bool:
        """True when a message with so many bytes of payload is too much."""
        return (
            len(self.messages) >= self._limits.queued
            or self._bytes + size > self._limits.queued_bytes
            or (self.share is not None and self.share.size + size + EACH > self.share.most)
        )

    def put(self, delivery: Delivery) -> None:
        """Have it wait behind the others."""
        self.messages.append(delivery)
        self._count(delivery, 1)

    def take(self) -> Delivery:
        """Take the first one out. Raises IndexError when nothing waits."""
        delivery = self.messages.popleft()
        self._count(delivery, -1)
        return delivery

    def take_all(self) -> tuple[Delivery, ...]:
        """Take out all that waits."""
        waiting = tuple(self.messages)
        for delivery in waiting:
            self._count(delivery, -1)
        self.messages.clear()
        return waiting

    def _count(self, delivery: Delivery, sign: int) -> None:
        size = len(delivery.message.payload)
        self._bytes += sign * size
        if self.share is not None:
            self.share.size += sign * (size + EACH)
