"""The demo's site: a door, a vault, a motion sensor, a lamp, and the cards and rules that make taps end differently."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from doorward.adapters.boards import DEFAULT, load_profile
from doorward.app.devices.files import BoardProfile
from doorward.app.site import DemoCard
from doorward.data import data_root
from doorward.domain.doors import Door
from doorward.domain.schedules import WEEKDAYS, Windows
from doorward_core.schedule import ALWAYS


@dataclass(frozen=True, slots=True)
class DemoBoard:
    """A board of the site, by the profile that a maker would wire. name: its door's, or its own."""

    id: str
    board: str
    name: str

    @property
    def door(self) -> Door | None:
        """The door that it keeps, if it has a lock."""
        locked = self.board.startswith(("door-", "vault-", "combined-"))
        return Door(id=self.id, name=self.name, device=self.id) if locked else None

    def profile(self) -> BoardProfile:
        """How it is wired: as a real one, but with a sensor that needs no minute to warm up."""
        made = load_profile(data_root() / "boards", self.board)
        if "pir" not in made.pins:
            return made
        pir = {**made.pins["pir"], "warm_s": 1, "hold_s": 5}
        return replace(made, pins={**made.pins, "pir": pir})


DOOR = (DemoBoard("front", DEFAULT, "Front door"),)
WHOLE = (
    *DOOR,
    DemoBoard("vault", "vault-esp32", "Vault"),
    DemoBoard("hall", "motion-esp32", "Hall"),
    DemoBoard("lamp", "lamp-esp32", "Hall lamp"),
)
CODE = "2580"  # Maya's, at the vault

SCHEDULES: tuple[tuple[str, Windows], ...] = (
    ("Always", ALWAYS),
    ("Weekday evenings", ((WEEKDAYS, 17 * 60, 22 * 60),)),
)

LEVELS = (
    ("Members", ("front",), "Always"),
    ("Evening course", ("front",), "Weekday evenings"),
)
VAULT_LEVEL = ("Vault keepers", ("vault",), "Always")


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


def pins() -> Mapping[str, Any]:
    """The door's pins, for who watches them."""
    return DOOR[0].profile().pins
