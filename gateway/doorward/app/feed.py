"""What happens, as it happens: a bounded memory for who comes back, bounded queues for who listens."""

import asyncio
from collections import deque

from doorward.app.views.feed import FeedData, FeedItem, FeedKind

_KEPT = 512
_WAITING = 256  # items a listener may fall behind before it is let go; it reconnects and replays


class Subscription:
    """One listener's queue. Iteration ends when it is closed, or was let go for being too slow."""

    def __init__(self, feed: "LiveFeed", missed: list[FeedItem]) -> None:
        """Made by `LiveFeed.subscribe`; `missed` comes first."""
        self._feed = feed
        self._items = deque(missed)
        self._arrived = asyncio.Event()
        self._open = True

    def __aiter__(self) -> "Subscription":
        return self

    async def __anext__(self) -> FeedItem:
        while not self._items:
            if not self._open:
                raise StopAsyncIteration
            self._arrived.clear()
            await self._arrived.wait()
        return self._items.popleft()

    def put(self, item: FeedItem) -> None:
        """Queue an item; a listener that does not read is closed."""
        if len(self._items) >= _WAITING:
            self.close()
            return
        self._items.append(item)
        self._arrived.set()

    def close(self) -> None:
        """End it: what is queued is still read."""
        self._open = False
        self._arrived.set()
        self._feed.forget(self)


class LiveFeed:
    """Numbers items and hands them to every listener."""

    def __init__(self, position: int = 0) -> None:
        """`position`: the number of what came before the first item."""
        self._kept: deque[FeedItem] = deque(maxlen=_KEPT)
        self._listeners: set[Subscription] = set()
        self._position = position

    @property
    def position(self) -> int:
        """The number of the newest item."""
        return self._position

    def publish(self, kind: FeedKind, data: FeedData) -> None:
        """Tell everybody."""
        self._position += 1
        item = FeedItem(self._position, kind, data)
        self._kept.append(item)
        for listener in tuple(self._listeners):
            listener.put(item)

    def subscribe(self, after: int | None = None) -> Subscription:
        """Listen from now on; with `after`, first what came after that item, as far as it is kept."""
        missed = [] if after is None else [item for item in self._kept if item.id > after]
        listener = Subscription(self, missed[-_WAITING:])
        self._listeners.add(listener)
        return listener

    def forget(self, listener: Subscription) -> None:
        """Stop telling this one."""
        self._listeners.discard(listener)

    def close(self) -> None:
        """End every subscription: the gateway stops."""
        for listener in tuple(self._listeners):
            listener.close()
