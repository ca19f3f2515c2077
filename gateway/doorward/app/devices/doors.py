"""Which door a newly approved board keeps, and how."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from doorward.app.names import clean_name
from doorward.domain.devices import APPROVED, Registration
from doorward.domain.doors import Door
from doorward.domain.snapshot import Snapshot
from doorward.errors import Conflict, InvalidInput

_STRIKE_S = (1, 10)  # a board's own cap is 10 s
_HELD_S = (1, 86_400)


@dataclass(frozen=True, slots=True)
class DoorOrder:
    """The door that a board is to keep. What is None stays as it is, or as a new door has it."""

    name: str
    strike_s: int | None = None
    held_s: int | None = None


def door_for(
    board: Registration, order: DoorOrder, snapshot: Snapshot, keeps: Callable[[str], bool]
) -> Door:
    """The door as it is to be. `keeps` tells whether a board is trusted with its door now.

    Raises InvalidInput for a name or a time that cannot be, and Conflict when the door has a board or the board a door.
    """
    name = clean_name(order.name, "door")
    own = snapshot.by_device.get(board.id)
    named = next(
        (door for door in snapshot.doors.values() if door.name.casefold() == name.casefold()), None
    )
    if own is not None and (named is None or named.id != own.id):
        raise Conflict(
            f"the board {board.id} keeps {own.name}",
            f"approve it with that name: {own.name!r}",
            field="door",
        )
    if named is not None and named.device != board.id and keeps(named.device):
        raise Conflict(
            f"{named.name} is kept by the board {named.device}",
            "revoke that one first, or choose another name",
            field="door",
        )
    door = named or Door(_free_id(board.id, snapshot), name, board.id)
    return replace(
        door,
        device=board.id,
        strike_ms=_ms("strike_s", order.strike_s, _STRIKE_S, door.strike_ms),
        held_ms=_ms("held_s", order.held_s, _HELD_S, door.held_ms),
    )


def own_name(device: str, order: DoorOrder, boards: Iterable[Registration]) -> str:
    """What a board without a lock is to be called. Raises InvalidInput, and Conflict for another one's name."""
    name = clean_name(order.name, "door")
    for other in boards:
        called = other.name if other.state == APPROVED and other.id != device else None
        if called is not None and called.casefold() == name.casefold():
            raise Conflict(f"{name} is the board {other.id}", "choose another name", field="door")
    return name


def _ms(field: str, seconds: int | None, limits: tuple[int, int], otherwise: int) -> int:
    low, high = limits
    if seconds is None:
        return otherwise
    if not low <= seconds <= high:
        raise InvalidInput(f"{field}: give {low} to {high} seconds", field=field)
    return seconds * 1000


def _free_id(wanted: str, snapshot: Snapshot) -> str:
    """An id for a new door: its board's, unless a former door of that board has it."""
    candidate, number = wanted, 1
    while candidate in snapshot.doors:
        number += 1
        candidate = f"{wanted[:28]}-{number}"
    return candidate
