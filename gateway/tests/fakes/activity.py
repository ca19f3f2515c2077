"""What happens in a house in memory, live and as it is on record."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from doorward.app.views.audit import AuditEntry, AuditFinding, AuditVerdict
from doorward.app.views.feed import FeedData, FeedItem


class FakeSubscription:
    def __init__(self, feed: "FakeFeed", backlog: Sequence[FeedItem]) -> None:
        self._feed = feed
        self._queue: asyncio.Queue[FeedItem | None] = asyncio.Queue()
        for item in backlog:
            self._queue.put_nowait(item)
        self._closed = False

    def __aiter__(self) -> "FakeSubscription":
        return self

    async def __anext__(self) -> FeedItem:
        item = None if self._closed else await self._queue.get()
        if item is None:
            raise StopAsyncIteration
        return item

    def put(self, item: FeedItem) -> None:
        self._queue.put_nowait(item)

    def close(self) -> None:
        self._closed = True
        self._queue.put_nowait(None)
        self._feed.listeners.discard(self)


class FakeFeed:
    """Numbers items from 1 and keeps the last `kept` of them."""

    def __init__(self, kept: int = 100) -> None:
        self.items: list[FeedItem] = []
        self.listeners: set[FakeSubscription] = set()
        self.position = 0
        self._kept = kept

    def publish(self, kind: str, data: FeedData) -> None:
        self.position += 1
        item = FeedItem(self.position, kind, data)  # type: ignore[arg-type]  # the tests' own words
        self.items = [*self.items, item][-self._kept :]
        for listener in self.listeners:
            listener.put(item)

    def subscribe(self, after: int | None = None) -> FakeSubscription:
        start = self.position if after is None else after
        subscription = FakeSubscription(self, [item for item in self.items if item.id > start])
        self.listeners.add(subscription)
        return subscription


class FakeHistory:
    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []

    async def recent(
        self, limit: int = 50, before: int | None = None, door: str | None = None
    ) -> tuple[AuditEntry, ...]:
        found = [
            entry
            for entry in reversed(self.entries)
            if (before is None or entry.id < before) and door in (None, entry.door_id)
        ]
        return tuple(found[:limit])


class FakeTrail:
    """An audit of two rows; `findings` says what is wrong with it."""

    def __init__(self) -> None:
        self.findings: tuple[AuditFinding, ...] = ()
        self.taken: list[tuple[object, ...]] = []

    async def verify(self) -> AuditVerdict:
        at = datetime(2026, 11, 21, tzinfo=UTC)
        return AuditVerdict(1, 2, 2, 1, at, 0, 0, self.findings, ())

    async def export(
        self, form: str, since: datetime | None, until: datetime | None, *, actor: str
    ) -> Iterator[bytes]:
        self.taken.append((form, since, until, actor))
        return iter((b"one\n", b"two\n"))
