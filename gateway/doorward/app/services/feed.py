"""What happens, pushed to who listens."""

from typing import Protocol, Self

from doorward.app.views.feed import FeedItem


class Subscription(Protocol):
    """A live view of the feed. It ends when it is closed or when its reader is too slow to keep up."""

    def __aiter__(self) -> Self: ...

    async def __anext__(self) -> FeedItem: ...

    def close(self) -> None: ...


class Feed(Protocol):
    """What happens, as it happens."""

    @property
    def position(self) -> int:
        """The number of the newest item; 0 before the first."""

    def subscribe(self, after: int | None = None) -> Subscription:
        """Listen from now on; with `after`, first what came after that item, as far as it is kept."""
