"""A hand in front of one reader: it holds one card at a time, and lets the reader see each of them."""

import asyncio

from doorward_lab.board import Board

_READ_S = 0.3  # in which a reader notices a card and its board settles it, or asks the gateway
_APART_S = 0.2  # between two cards: a few polls, or the reader would see one that stays


class Hand:
    """Taps at one board, one after the other, however fast they are asked for."""

    def __init__(self, board: Board) -> None:
        """Nothing is in the field yet."""
        self._board = board
        self._turn = asyncio.Lock()
        self._leaving: asyncio.Task[None] | None = None

    async def tap(self, uid: str, hold_ms: int) -> int:
        """Hold a card into the field for `hold_ms`, or until the next one comes; returns when it entered."""
        async with self._turn:
            await self._put_away()
            entered = self._board.present(uid)
            self._leaving = asyncio.create_task(self._leave(hold_ms))
            # The next hand waits until a reader that works has polled this card.
            await asyncio.sleep(min(_READ_S, hold_ms / 1000))
            return entered

    def close(self) -> None:
        """Forget the card that is still held."""
        if self._leaving is not None:
            self._leaving.cancel()

    async def _put_away(self) -> None:
        if self._leaving is None or self._leaving.done():
            return
        self._leaving.cancel()
        self._board.remove()
        await asyncio.sleep(_APART_S)

    async def _leave(self, hold_ms: int) -> None:
        await asyncio.sleep(hold_ms / 1000)
        self._board.remove()
