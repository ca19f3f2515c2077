"""The demo's site: one door, four cards, and the rules that make each of them end differently."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from doorward.adapters.boards import DEFAULT, load_profile
from doorward.app.board_files import BoardProfile
from doorward.app.site import DemoCard
from doorward.data import data_root
from doorward.domain.doors import Door
from doorward.domain.schedules import WEEKDAYS, Windows
from doorward_core.schedule import ALWAYS

DOORS = (Door(id="front", name="Front door", device="front"),)

SCHEDULES: tuple[tuple[str, Windows], ...] = (
    ("Always", ALWAYS),
    ("Weekday evenings", ((WEEKDAYS, 17 * 60, 22 * 60),)),
)

LEVELS = (
    ("Members", ("front",), "Always"),
    ("Evening course", ("front",), "Weekday evenings"),
)


@dataclass(frozen=True, slots=True)
class Someone:
    """A person of the demo, with the card that the site knows by `key`."""

    key: str
    name: str
    level: str
    revoked: bool = False


PEOPLE = (
    Someone("member", "Maya Okafor", "Members"),
    Someone("evening", "Jonas Weber", "Evening course"),
    Someone("former", "Ana Ruiz", "Members", revoked=True),
)

# Single, double and triple size UIDs; the stranger's differs from the member's in its last byte.
CARDS = {
    "member": DemoCard("Maya Okafor, member", bytes.fromhex("04a1b2c3d4e5f6")),
    "evening": DemoCard("Jonas Weber, evening course", bytes.fromhex("5e7a91c3")),
    "former": DemoCard("Ana Ruiz, revoked card", bytes.fromhex("04d15b2a6c83f0917ee2")),
    "stranger": DemoCard("A card nobody knows", bytes.fromhex("04a1b2c3d4e5f7")),
}


def profile() -> BoardProfile:
    """How the demo's board is wired: as a real one."""
    return load_profile(data_root() / "boards", DEFAULT)


def pins() -> Mapping[str, Any]:
    """Its pins, for who watches them."""
    return profile().pins
