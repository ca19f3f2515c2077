"""The live stream: what happens, as HTML fragments over server-sent events.

Every frame's id is `<epoch>.<feed number>`. A page that comes back names the last one it saw and gets what it missed;
where that is not to be had any more (the gateway was restarted, the page slept for long) it gets everything anew.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from doorward.app.services import Feed, Subscription
from doorward.app.views import FeedItem

KEEPALIVE_S = 15.0
KEEPALIVE = b": still here\n\n"


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the stream of one run of the gateway."""

    epoch: str
    number: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.number}"

    @classmethod
    def parse(cls, text: str) -> "Position | None":
        """Read what `str()` wrote; None if it is anything else."""
        epoch, _, number = text.partition(".")
        # isdecimal alone lets other scripts' digits through
        if epoch and number.isascii() and number.isdecimal() and len(number) < 19:
            return cls(epoch, int(number))
        return None


def frame(html: str, position: Position) -> bytes:
    """One server-sent event. Every kind of line end in the HTML starts a new data line."""
    lines = html.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    data = "".join(f"data: {line}\n" for line in lines)
    return f"id: {position}\n{data}\n".encode()


@dataclass(slots=True)
class Streams:
    """The open streams, so that a server that stops can end them at once."""

    _open: set[Subscription] = field(default_factory=set)
    _closed: bool = False

    async def items(self, feed: Feed, after: int) -> AsyncIterator[FeedItem | None]:
        """Follow the feed after that item; None stands for KEEPALIVE_S of silence."""
        if self._closed:
            return
        subscription = feed.subscribe(after)
        self._open.add(subscription)
        following: asyncio.Task[FeedItem] | None = None
        try:
            while True:
                # Not wait_for: a time-out must not cancel the subscription's own wait.
                following = following or asyncio.ensure_future(anext(subscription))
                done, _ = await asyncio.wait({following}, timeout=KEEPALIVE_S)
                if not done:
                    yield None
                    continue
                try:
                    item = following.result()
                except StopAsyncIteration:
                    return
                following = None
                yield item
        finally:
            self._open.discard(subscription)
            subscription.close()
            if following is not None:
                following.cancel()

    def close(self) -> None:
        """End every stream, and open no new one. The pages come back by themselves when the gateway does."""
        self._closed = True
        for subscription in tuple(self._open):
            subscription.close()
