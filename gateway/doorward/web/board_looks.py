"""How a board looks on its page: its state becomes a word, an icon and a tone. Pure, like `looks`."""

from collections.abc import Sequence
from dataclasses import dataclass

from doorward.app.views.boards import BoardView
from doorward.domain import devices
from doorward.web.looks import Summary


@dataclass(frozen=True, slots=True)
class BoardLook:
    """A board's card."""

    word: str
    icon: str
    tone: str
    detail: str


_WAITS = BoardLook(
    "Not heard yet", "timer", "dim", "Put its files on it over USB, and give it power."
)
_ANNOUNCED = BoardLook(
    "Waits for a name", "hand", "info", "It has shown its claim code. Say which door it keeps."
)
_ONLINE = BoardLook("Online", "online", "good", "It is connected, and decides with this gateway.")
_OFFLINE = BoardLook("Offline", "offline", "warn", "It decides by itself until it is back.")
_REVOKED = BoardLook(
    "Shut out", "denied", "dim", "Nothing that it holds is worth anything here any more."
)


def board_look(board: BoardView) -> BoardLook:
    """How the card of a board looks."""
    if board.state == devices.APPROVED:
        return _ONLINE if board.online else _OFFLINE
    return {
        devices.WAITING: _WAITS,
        devices.ANNOUNCED: _ANNOUNCED,
        devices.REVOKED: _REVOKED,
    }[board.state]


def board_summary(boards: Sequence[BoardView]) -> Summary:
    """All boards in one sentence: who waits for somebody, then who is missing."""
    kept = [board for board in boards if board.state != devices.REVOKED]
    if not kept:
        return Summary("No boards yet", "Nothing keeps a door.", "calm")
    online = sum(board.online for board in kept)
    detail = f"{len(kept)} {'board' if len(kept) == 1 else 'boards'}, {online} online"
    waiting = [board for board in kept if board.state == devices.ANNOUNCED]
    if waiting:
        who = waiting[0].id if len(waiting) == 1 else f"{len(waiting)} boards"
        verb = "waits" if len(waiting) == 1 else "wait"
        return Summary(f"{who} {verb} for a name", detail, "info")
    away = [board for board in kept if board.state == devices.APPROVED and not board.online]
    if away:
        who = f"{away[0].id} is" if len(away) == 1 else f"{len(away)} boards are"
        return Summary(f"{who} offline", detail, "warn")
    return Summary("All boards are in order", detail, "calm")
