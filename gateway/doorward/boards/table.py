"""The wiring of a profile as rows to read from and tick off."""

from typing import Any

from doorward.boards.devkits import KITS
from doorward.boards.schema.profile import Profile
from doorward.boards.wiring import Wire, boxes

HEADS = ("part", "terminal", "board", "wire", "on the way")


def rows(profile: Profile) -> list[tuple[str, str, str, str, str | None]]:
    """One row a wire, under HEADS."""
    kit = KITS[profile.chip]
    printed = {header.gpio: header.label for header in (*kit.left, *kit.right)}
    found = []
    for box in boxes(profile):
        for wire in box.wires:
            end = wire.end
            place = f"GPIO {end}" if isinstance(end, int) else end
            if isinstance(end, int) and printed.get(end, str(end)) != str(end):
                place += f" ({printed[end]})"
            found.append((box.title, wire.terminal, place, wire.colour, on_the_way(wire)))
    return found


def on_the_way(wire: Wire) -> str | None:
    """What stands in a wire or beside it, None for a bare one."""
    words = [f"{wire.through} in it"] if wire.through else []
    if wire.across is not None:
        words.append(f"{wire.across[0]} from the pin to {wire.across[1]}")
    return ", ".join(words) or None


def notes(profile: Profile) -> list[str]:
    """What to know about each part, one line each."""
    return [f"{box.title}: {note}" for box in boxes(profile) for note in box.notes]


def as_json(profile: Profile) -> list[dict[str, Any]]:
    """The same for programs: parts with their wires and notes."""
    return [
        {
            "part": box.part,
            "title": box.title,
            "wires": [
                {
                    "terminal": wire.terminal,
                    "gpio": wire.end if isinstance(wire.end, int) else None,
                    "rail": wire.end if isinstance(wire.end, str) else None,
                    "colour": wire.colour,
                    "through": wire.through or None,
                    "across": list(wire.across) if wire.across else None,
                }
                for wire in box.wires
            ],
            "notes": list(box.notes),
        }
        for box in boxes(profile)
    ]
