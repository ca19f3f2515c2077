"""The live stream: what happens, as HTML fragments over server-sent events.

Every frame's id is `<epoch>.<feed number>`. A page that comes back names the last one it saw and gets what it missed;
where that is not to be had any more (the gateway was restarted, the page slept for long) it gets everything anew.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from doorward.app.services.feed import Feed, Subscription
from doorward.app.views.feed import FeedItem

KEEPALIVE_S = 15.0
LOOK_S = 1.0  # how often a silent stream looks whether it may go on
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

    async def items(
        self, feed: Feed, after: int, may_go_on: Callable[[], bool]
    ) -> AsyncIterator[FeedItem | None]:
        """Follow the feed after that item; None stands for KEEPALIVE_S of silence.

        Ends before the next item, and within LOOK_S, when it may not go on.
        """
        if self._closed:
            return
        subscription = feed.subscribe(after)
        self._open.add(subscription)
        following: asyncio.Task[FeedItem] | None = None
        told = time.monotonic()
        try:
            while True:
                # Not wait_for: a time-out must not cancel the subscription's own wait.
                following = following or asyncio.ensure_future(anext(subscription))
                done, _ = await asyncio.wait({following}, timeout=LOOK_S)
                if not may_go_on():
                    return
                item = None
                if done:
                    try:
                        item = following.result()
                    except StopAsyncIteration:
                        return
                    following = None
                elif time.monotonic() - told < KEEPALIVE_S:
                    continue
                told = time.monotonic()
                yield item
        finally:
            self._open.discard(subscription)
            subscription.close()
            if following is not None:
                following.cancel()

    @property
    def closed(self) -> bool:
        """True once the server stops."""
        return self._closed

    def close(self) -> None:
        """End every stream, and open no new one. The pages come back by themselves when the gateway does."""
        self._closed = True
        for subscription in tuple(self._open):
            subscription.close()
