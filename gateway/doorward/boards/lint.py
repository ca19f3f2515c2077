"""What would go wrong with a profile on its chip, before anybody has soldered it.

Every finding names the field, says why, and proposes a pin that would do.
"""

from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from doorward.boards.chips import CHIPS, HIGH, LOW, Chip
from doorward.boards.devkits import KITS
from doorward.boards.pins import PinUse, pin_uses
from doorward.boards.roles import role_findings
from doorward.boards.schema.inputs import Contact, Switch
from doorward.boards.schema.locks import Servo, Solenoid, Strike
from doorward.boards.schema.part import Part, Use
from doorward.boards.schema.profile import Profile
from doorward.boards.schema.signs import TunableWhite, White

_WORD = {LOW: "low", HIGH: "high"}
_RAIL = {LOW: "GND", HIGH: "3V3"}
_DRIVES = {Use.OUTPUT, Use.BUS, Use.ACTUATOR}
# Somebody outside holds these at a level of their own while the chip starts.
_HELD_OUTSIDE = {Use.INPUT, Use.SWITCH, Use.ANALOG}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. would_do: a pin that is free and fit for it, None when that is not the point."""

    field: str
    why: str
    remedy: str
    would_do: int | None = None

    def __str__(self) -> str:
        """One line: field, why, and what to do."""
        return f"{self.field}: {self.why}; {self.remedy}"


Rule = Callable[[Chip, Profile, PinUse], str | None]


def lint(profile: Profile) -> list[Finding]:
    """Everything that is wrong, in the profile's order; nothing is left out because of something else."""
    chip = CHIPS[profile.chip]
    found = [Finding(*words) for words in role_findings(profile)]
    found += [Finding(*words) for words in _buses(chip, profile)]
    uses = list(pin_uses(profile))
    proposed: set[int] = set()  # to one field alone
    for use in uses:
        reasons = [why for rule in _RULES if (why := rule(chip, profile, use))]
        if not reasons:
            continue
        pin = fitting(chip, profile, use, proposed)
        if pin is not None:
            proposed.add(pin)
        remedy = "no pin is left; use a larger board" if pin is None else f"GPIO {pin} would do"
        found += [Finding(use.field, why, remedy, pin) for why in reasons]
    for name, part in profile.parts().items():
        found += _unheld(chip, name, part, [use for use in uses if use.part == name])
    return found


def fitting(chip: Chip, profile: Profile, use: PinUse, promised: AbstractSet[int]) -> int | None:
    """A pin of the development board that is free, not promised, and would do for `use`; None when none is left."""
    taken = promised | {other.gpio for other in pin_uses(profile)}
    idle = idle_level(profile.parts()[use.part])
    candidates = [pin for pin in sorted(chip.free() - taken) if KITS[chip.name].has(pin)]
    if use.use is Use.ANALOG:
        candidates = [pin for pin in candidates if pin in chip.adc1]
    elif use.use is not Use.INPUT:
        candidates = [pin for pin in candidates if pin not in chip.input_only]
    if use.use is Use.ACTUATOR:
        candidates = [pin for pin in candidates if 1 - idle not in chip.driven.get(pin, ())]
    return candidates[0] if candidates else None


def idle_level(part: Part) -> int:
    """The level at which the part is safe: locked, dark, at rest."""
    if isinstance(part, Strike):
        return part.active if part.fail == "safe" else 1 - part.active
    return 1 - part.active if isinstance(part, Solenoid | White | TunableWhite) else LOW


# --- one rule a function: why this pin will not do, None if it will --------------------------------------------


def _lacking(chip: Chip, _profile: Profile, use: PinUse) -> str | None:
    return None if use.gpio in chip.pins else f"an {chip.title} has no GPIO {use.gpio}"


def _hidden(chip: Chip, _profile: Profile, use: PinUse) -> str | None:
    kit = KITS[chip.name]
    if use.gpio not in chip.free() or kit.has(use.gpio):
        return None
    return f"GPIO {use.gpio} is not brought out on an {kit.title}"


def _twice(_chip: Chip, profile: Profile, use: PinUse) -> str | None:
    for other in pin_uses(profile):
        if other.field == use.field:
            return None  # the first to name it keeps it
        if other.gpio == use.gpio:
            return f"GPIO {use.gpio} is {other.field} already"
    return None


def _flash(chip: Chip, _profile: Profile, use: PinUse) -> str | None:
    if use.gpio in chip.flash:
        return f"GPIO {use.gpio} belongs to the flash or PSRAM of {chip.title} modules"
    return None


def _console(chip: Chip, _profile: Profile, use: PinUse) -> str | None:
    if use.gpio in chip.uart0:
        return f"GPIO {use.gpio} is the console, over which the board is flashed"
    if use.gpio in chip.usb:
        return f"GPIO {use.gpio} is the chip's own USB and JTAG"
    return None


def _strapping(chip: Chip, _profile: Profile, use: PinUse) -> str | None:
    if use.gpio not in chip.strapping:
        return None
    if use.use is Use.ACTUATOR:
        return f"GPIO {use.gpio} is a strapping pin and may move while the chip starts"
    if use.use in _HELD_OUTSIDE:
        return f"GPIO {use.gpio} is a strapping pin: {chip.strapping[use.gpio]}"
    return None


def _input_only(chip: Chip, profile: Profile, use: PinUse) -> str | None:
    if use.gpio not in chip.input_only:
        return None
    if use.use in _DRIVES:
        return f"GPIO {use.gpio} can only be read, and this is {use.use.value}"
    if use.use is Use.SWITCH and not _pulled_up_outside(profile, use):
        return f'GPIO {use.gpio} has no pull-up inside; name a resistor and pull = "none"'
    return None


def _pulled_up_outside(profile: Profile, use: PinUse) -> bool:
    part = profile.parts()[use.part]
    resistor = part.resistor
    return isinstance(part, Contact | Switch) and resistor is not None and part.pull == "none"


def _analog(chip: Chip, _profile: Profile, use: PinUse) -> str | None:
    if use.use is not Use.ANALOG or use.gpio in chip.adc1 or use.gpio not in chip.pins:
        return None
    if use.gpio in chip.adc2:
        return f"GPIO {use.gpio} is on the converter ADC2, which does not work beside Wi-Fi"
    return f"GPIO {use.gpio} measures no voltage"


def _driven(chip: Chip, profile: Profile, use: PinUse) -> str | None:
    active = 1 - idle_level(profile.parts()[use.part])
    if use.use is Use.ACTUATOR and active in chip.driven.get(use.gpio, ()):
        return f"GPIO {use.gpio} is driven {_WORD[active]} for an instant at power-up, which sets it off"
    return None


_RULES: tuple[Rule, ...] = (
    _lacking,
    _hidden,
    _twice,
    _flash,
    _console,
    _strapping,
    _input_only,
    _analog,
    _driven,
)


def _unheld(chip: Chip, name: str, part: Part, uses: list[PinUse]) -> Iterator[Finding]:
    # One finding for all of a part's pins: its resistor stands at each of them.
    moving = [use.gpio for use in uses if use.use is Use.ACTUATOR]
    idle = idle_level(part)
    rail = _RAIL[idle]
    loose = [pin for pin in moving if chip.pulled.get(pin) != idle]
    if part.resistor is None and loose:
        state = "is pulled to the other level" if loose[0] in chip.pulled else "floats"
        why = f"GPIO {loose[0]} {state} while the chip starts, and nothing keeps it {_WORD[idle]}"
        yield Finding(f"{name}.resistor", why, f"name a resistor of 10000 ohm to {rail}")
    if part.resistor is not None and moving and part.resistor.to != rail:
        why = f"the resistor to {part.resistor.to} sets it off while the chip starts"
        yield Finding(f"{name}.resistor", why, f"connect it to {rail}")


def _buses(chip: Chip, profile: Profile) -> Iterator[tuple[str, str, str]]:
    for name, part in profile.parts().items():
        for bus, there in (("spi", chip.spi), ("i2c", chip.i2c)):
            number = getattr(part, bus, None)
            if number is not None and number not in there:
                known = " or ".join(str(one) for one in sorted(there))
                yield f"{name}.{bus}", f"an {chip.title} has no such bus", f"use {known}"
        if isinstance(part, Servo) and part.locked_us == part.unlocked_us:
            yield f"{name}.unlocked_us", "the servo would not move", "let it differ from locked_us"
