"""How a board is wired, in words for a diagnosis and as a diagram with the wires marked that it is about."""

from collections.abc import Collection
from pathlib import Path

from doorward import boards
from doorward.boards import drawing
from doorward.boards.chips import CHIPS, HIGH, Chip
from doorward.boards.devkits import KITS, DevKit
from doorward.boards.pins import pin_uses
from doorward.boards.schema.profile import Profile
from doorward.boards.wiring import boxes
from doorward.domain.wiring import Terminal, Wiring

_MOST_NEAR = 4


class Wirings:
    """The profiles of boards, by name. A profile that is gone, or that was changed for the worse, is none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def wiring(self, name: str) -> Wiring:
        """A profile's wiring; an empty one where there is none: a diagnosis then does without pins."""
        profile = self._profile(name)
        if profile is None:
            return Wiring({}, {}, {})
        kit = KITS[profile.chip]
        places = _places(kit)
        names = {
            (box.part, wire.end): wire.terminal for box in boxes(profile) for wire in box.wires
        }
        terminals = {
            use.field: Terminal(names[use.part, use.gpio], use.gpio, places.get(use.gpio, ""))
            for use in pin_uses(profile)
            if (use.part, use.gpio) in names
        }
        near = _near(profile, kit, CHIPS[profile.chip])
        return Wiring(boards.compiled(profile)["pins"], terminals, places, near)

    def diagram(self, name: str, marked: Collection[str]) -> str | None:
        """The diagram (SVG) with the wires of these fields marked; None where there is no profile."""
        profile = self._profile(name)
        if profile is None:
            return None
        pins = {(use.part, use.gpio) for use in pin_uses(profile) if use.field in marked}
        return drawing.svg(profile, pins)

    def _profile(self, name: str) -> Profile | None:
        if name not in boards.names(self._folder):
            return None
        profile = boards.load(self._folder, name)
        return None if any(boards.lint(profile)) else profile


def _places(kit: DevKit) -> dict[int, str]:
    found = {}
    for side, header in (("left", kit.left), ("right", kit.right)):
        for index, pin in enumerate(header, 1):
            if pin.gpio is not None:
                printed = "" if pin.label == str(pin.gpio) else f"printed {pin.label}, "
                found[pin.gpio] = f"{printed}pin {index} from the top on the {side}"
    return found


def _near(profile: Profile, kit: DevKit, chip: Chip) -> tuple[int, ...]:
    """Pins beside the reader's select that nothing hangs on, and that may rest high: its wire may be there."""
    select = getattr(profile.reader, "cs", None)
    if select is None:
        return ()
    used = {use.gpio for use in pin_uses(profile)}
    at_rest_high = {gpio for gpio, level in chip.pulled.items() if level == HIGH}
    allowed = (chip.free() | at_rest_high) - chip.input_only - chip.uart0 - chip.flash - chip.usb
    found = []
    for header in (kit.left, kit.right):
        numbers = [pin.gpio for pin in header]
        if select in numbers:
            here = numbers.index(select)
            by_distance = sorted(range(len(numbers)), key=lambda index: abs(index - here))
            found += [numbers[index] for index in by_distance]
    free = [gpio for gpio in found if gpio in allowed and gpio not in used]
    return tuple(free[:_MOST_NEAR])
