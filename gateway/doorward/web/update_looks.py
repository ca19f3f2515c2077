"""How updates look on the page of the boards: one board's, and a roll-out as a whole. Pure, like `looks`."""

from collections.abc import Sequence
from dataclasses import dataclass

from doorward.app.views.boards import BoardView, UpdateView
from doorward.domain import devices, updates


@dataclass(frozen=True, slots=True)
class UpdateLook:
    """What a board's card says of its update. percent: None where nothing is on its way."""

    word: str
    tone: str
    detail: str
    percent: int | None = None
    may_cancel: bool = False


_UPDATES = {
    updates.WAITING: ("Its turn comes", "info", "Firmware {} goes to other boards first."),
    updates.OFFERED: ("Fetching", "info", "Firmware {} is on its way. The door works meanwhile."),
    updates.INSTALLED: ("On trial", "info", "Firmware {} has to prove itself, or goes again."),
    updates.ROLLED_BACK: (
        "Rolled back",
        "warn",
        "Firmware {} failed, and the one before runs again:",
    ),
    updates.REFUSED: ("Refused", "warn", "The board did not take firmware {}:"),
    updates.FAILED: ("Failed", "warn", "Firmware {} did not get there:"),
    updates.STOPPED: ("Stopped", "warn", "Another board failed with firmware {}:"),
    updates.CANCELLED: ("Cancelled", "dim", "Firmware {} was called back"),
}


def update_look(update: UpdateView) -> UpdateLook | None:
    """How a board's newest update reads; None for one that went well."""
    if update.state not in _UPDATES:
        return None
    word, tone, detail = _UPDATES[update.state]
    said = f"{detail.format(update.version)} {update.meaning}".rstrip(": ")
    is_open = update.state in updates.OPEN
    may_cancel = update.state in updates.RECALLABLE
    return UpdateLook(word, tone, said, update.percent if is_open else None, may_cancel)


def may_update(board: BoardView) -> bool:
    """Whether a button for it makes sense: there is something newer, and nothing is on its way."""
    at_work = board.update is not None and board.update.state in updates.OPEN
    approved = board.state == devices.APPROVED
    return approved and board.online and board.available is not None and not at_work


@dataclass(frozen=True, slots=True)
class RolloutLook:
    """Boards that are updated one after the other, or could be.

    version: to which they could; rows: what became of each board of a roll-out that is under way, or failed.
    """

    sentence: str
    tone: str
    version: str | None = None
    rows: tuple[tuple[str, UpdateLook], ...] = ()
    may_cancel: bool = False


def rollout_look(boards: Sequence[BoardView]) -> RolloutLook | None:
    """What the page says above the boards; None where nothing is going on, and no two boards could be updated."""
    able = [board for board in boards if may_update(board)]
    version = able[0].available if len(able) > 1 else None
    shown = _shown([board.update for board in boards if board.update is not None])
    if not shown:
        sentence = f"{len(able)} boards can have firmware {version}."
        return RolloutLook(sentence, "info", version) if version else None
    rows = tuple((update.device, look) for update in shown if (look := update_look(update)))
    bad = any(update.state in updates.BAD for update in shown)
    may_cancel = any(update.state in updates.RECALLABLE for update in shown)
    return RolloutLook(_count(shown), "warn" if bad else "info", version, rows, may_cancel)


def _shown(found: Sequence[UpdateView]) -> list[UpdateView]:
    """Of roll-outs of several boards those that are under way or failed, the newest first."""
    told = [update.rollout for update in found if update.state in updates.OPEN | updates.BAD]
    boards = [update.rollout for update in found]
    chosen = [each for each in found if each.rollout in told and boards.count(each.rollout) > 1]
    return sorted(chosen, key=lambda update: (-update.rollout, update.changed_at, update.device))


_COUNTED = {
    updates.CONFIRMED: "{} done",
    updates.INSTALLED: "{} on trial",
    updates.OFFERED: "{} fetching",
    updates.WAITING: "{} waiting",
    updates.CANCELLED: "{} cancelled",
    updates.STOPPED: "{} stopped",
}


def _count(shown: Sequence[UpdateView]) -> str:
    """How many boards are how far."""
    versions = ", ".join(sorted({update.version for update in shown}))
    states = [update.state for update in shown]
    parts = [
        words.format(states.count(state)) for state, words in _COUNTED.items() if state in states
    ]
    bad = sum(state in updates.BAD for state in states)
    parts += [f"{bad} failed"] if bad else []
    return f"Firmware {versions} for {len(shown)} boards: {', '.join(parts)}."
