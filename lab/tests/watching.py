"""What a test sees of boards from outside. The witness of a door is its relay."""

import asyncio
import time
from collections.abc import Callable

from doorward_lab import Board

PATIENCE_S = 30.0
_DENIED_S = 3.0  # a board has settled a question after two seconds at the most


async def until(
    condition: Callable[[], object], *boards: Board, seconds: float = PATIENCE_S
) -> None:
    """Return when it is so; fails with the boards' last words when it takes too long."""
    deadline = time.monotonic() + seconds
    while not condition():
        words = "\n".join(line for board in boards for line in board.log)
        assert time.monotonic() < deadline, f"it did not happen in {seconds} s\n{words}"
        await asyncio.sleep(0.005)


def strike(board: Board) -> int:
    """The pin of its relay."""
    pin: int = board.profile["pins"]["strike"]["pin"]
    return pin


def openings(board: Board) -> int:
    """How often the relay was energised."""
    return sum(edge.pin == strike(board) and edge.level == 1 for edge in board.edges)


async def opens(board: Board, uid: bytes) -> bool:
    """Hold a card until the door has opened and locked again, or nothing has come of it."""
    since = board.present(uid)
    try:
        edge = await board.wait_edge(strike(board), 1, _DENIED_S, since_ns=since)
    except TimeoutError:
        return False
    finally:
        board.remove()
    await board.wait_edge(strike(board), 0, PATIENCE_S, since_ns=edge.at_ns)
    return True
