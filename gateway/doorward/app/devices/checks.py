"""What is refused about boards, and in which words."""

from collections.abc import Iterable

from doorward.domain import devices
from doorward.domain.devices import Registration
from doorward.errors import Conflict, InvalidInput
from doorward_core import topics

RESERVED = "gateway"  # the gateway's own name at the broker


def check_id(device: str) -> None:
    """Raise InvalidInput for what cannot be a board's id."""
    reserved = device.casefold() == RESERVED
    if not topics.is_id(device) or reserved:
        problem = "reserved" if reserved else "no board id"
        raise InvalidInput(f"{device!r} is {problem}", "use 1 to 32 of A-Z a-z 0-9 _ -", field="id")


def check_case(device: str, known: Iterable[Registration]) -> None:
    """Raise Conflict for another board's id but for its case: people would mix them up, and a Mac's disk."""
    for other in known:
        if other.id != device and other.id.casefold() == device.casefold():
            raise Conflict(f"there is a board {other.id} already", "choose another id", field="id")


def check_announced(known: Registration) -> None:
    """Raise Conflict for a board that cannot be approved now."""
    if known.state == devices.ANNOUNCED:
        return
    remedy = {
        devices.WAITING: "put its files on it, give it power and wait until it announces itself",
        devices.APPROVED: "there is nothing to do",
        devices.REVOKED: f"adopt it anew with `doorward device adopt {known.id} --again`",
    }[known.state]
    said = {
        devices.WAITING: "has not announced itself yet",
        devices.APPROVED: "is approved already",
        devices.REVOKED: "was revoked",
    }[known.state]
    raise Conflict(f"the board {known.id} {said}", remedy, field="id")
