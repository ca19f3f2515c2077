"""How a board looks on its page: its state becomes a word, an icon and a tone. Pure, like `looks`."""

from collections.abc import Sequence
from dataclasses import dataclass

from doorward.app.views.boards import BoardView, UpdateView
from doorward.domain import devices, updates
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


@dataclass(frozen=True, slots=True)
class UpdateLook:
    """What a board's card says of its update. percent: None where nothing is on its way."""

    word: str
    tone: str
    detail: str
    percent: int | None = None


_UPDATES = {
    updates.WAITING: ("Its turn comes", "info", "Firmware {} goes to other boards first."),
    updates.OFFERED: ("Fetching", "info", "Firmware {} is on its way. The door works meanwhile."),
    updates.INSTALLED: ("On trial", "info", "Firmware {} has to prove itself, or goes again."),
    updates.ROLLED_BACK: ("Rolled back", "warn", "Firmware {} failed; the one before runs again."),
    updates.REFUSED: ("Refused", "warn", "The board did not take firmware {}."),
    updates.FAILED: ("Failed", "warn", "Firmware {} did not get there."),
    updates.STOPPED: ("Stopped", "warn", "Another board failed with firmware {}."),
}


def update_look(update: UpdateView) -> UpdateLook | None:
    """How a board's newest update reads; None for one that went well."""
    if update.state not in _UPDATES:
        return None
    word, tone, detail = _UPDATES[update.state]
    said = f"{detail.format(update.version)} {update.reason}".rstrip()
    is_open = update.state in updates.OPEN
    return UpdateLook(word, tone, said, update.percent if is_open else None)


def may_update(board: BoardView) -> bool:
    """Whether a button for it makes sense: there is something newer, and nothing is on its way."""
    at_work = board.update is not None and board.update.state in updates.OPEN
    approved = board.state == devices.APPROVED
    return approved and board.online and board.available is not None and not at_work


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
