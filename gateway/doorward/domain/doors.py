"""The doors, and the board that keeps each."""

from dataclasses import dataclass

from doorward_core.access import STRENGTH_UID


@dataclass(frozen=True, slots=True)
class Door:
    """A door with one reader and one strike. Times in ms: see `doorward_core.door.Settings`."""

    id: str
    name: str
    device: str
    strike_ms: int = 5_000
    cap_ms: int = 10_000
    held_ms: int = 30_000
    min_strength: int = STRENGTH_UID
    lockdown: bool = False
