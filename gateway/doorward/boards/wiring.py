"""Every wire of a profile: from which terminal of which part to which pin, in which colour, with what on the way.

The table of `doorward board show` and the diagram are made of this, so they say the same.
"""

from dataclasses import dataclass, field
from functools import singledispatch

from doorward.boards.devkits import GROUND, VOLTS_3, VOLTS_5
from doorward.boards.pins import pin_uses
from doorward.boards.schema.inputs import Battery, Contact, Pir, Switch
from doorward.boards.schema.locks import Servo, Solenoid, Strike
from doorward.boards.schema.part import Part, Use
from doorward.boards.schema.profile import Profile
from doorward.boards.schema.readers import Matrix, Mfrc522, Pn532I2c, Pn532Spi, Wiegand
from doorward.boards.schema.signs import Buzzer, Led, TunableWhite, White

RAILS = {GROUND: "black", VOLTS_3: "orange", VOLTS_5: "red"}
SIGNALS = ("blue", "green", "yellow", "purple", "brown", "teal", "pink", "grey")
_TITLES = {
    "contact": "Door contact",
    "rex": "Exit button",
    "tamper": "Lid switch",
    "button": "Lamp button",
}
_CONTACTS = tuple(f"{name}.pin" for name in _TITLES)


@dataclass(frozen=True, slots=True)
class Wire:
    """One wire. end: a GPIO, or the name of a rail. through: a resistor in it; across: one from it to a rail."""

    terminal: str
    end: int | str
    colour: str = ""
    through: str = ""
    across: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Box:
    """A part as it lies on the table: its name in the profile, what it is called, its wires and what to know."""

    part: str
    title: str
    wires: tuple[Wire, ...]
    notes: tuple[str, ...] = field(default=())


def boxes(profile: Profile) -> list[Box]:
    """Every part with its wires. The colours run on from part to part, so that neighbours differ."""
    found = []
    used = 0
    held: dict[str, set[int]] = {name: set() for name in profile.parts()}
    for use in pin_uses(profile):
        # A padlock's resistor is its drive's, not its switch's.
        if use.use is Use.ACTUATOR or use.field in _CONTACTS:
            held[use.part].add(use.gpio)
    for name, part in profile.parts().items():
        title, wires, notes = _wired(part)
        coloured = []
        for wire in wires:
            if isinstance(wire.end, str):
                colour = RAILS[wire.end]
            else:
                colour = SIGNALS[used % len(SIGNALS)]
                used += 1
            across = wire.across
            if part.resistor is not None and wire.end in held[name]:
                across = (ohms(part.resistor.ohm), part.resistor.to)
            coloured.append(Wire(wire.terminal, wire.end, colour, wire.through, across))
        own = (part.note,) if part.note else ()
        found.append(Box(name, title or _TITLES[name], tuple(coloured), (*notes, *own)))
    return found


def ohms(value: int) -> str:
    """A resistor as it is printed on the bag: 10 kΩ, 330 Ω."""
    return f"{value / 1000:g} kΩ" if value >= 1000 else f"{value} Ω"


_Wired = tuple[str, list[Wire], tuple[str, ...]]


@singledispatch
def _wired(part: Part) -> _Wired:
    raise TypeError(type(part).__name__)


def _power(plus: str) -> list[Wire]:
    return [Wire("GND", GROUND), Wire("3.3V" if plus == VOLTS_3 else "VCC", plus)]


def _optional(terminal: str, gpio: int | None) -> list[Wire]:
    return [] if gpio is None else [Wire(terminal, gpio)]


@_wired.register
def _(part: Mfrc522) -> _Wired:
    wires = [
        Wire("SDA", part.cs),
        Wire("SCK", part.sck),
        Wire("MOSI", part.mosi),
        Wire("MISO", part.miso),
        Wire("RST", VOLTS_3 if part.rst is None else part.rst),
    ]
    return "RC522 card reader", [*wires, *_power(VOLTS_3)], ("Its IRQ pin stays free.",)


@_wired.register
def _(part: Pn532Spi) -> _Wired:
    wires = [
        Wire("SS", part.cs),
        Wire("SCK", part.sck),
        Wire("MOSI", part.mosi),
        Wire("MISO", part.miso),
        *_optional("IRQ", part.irq),
        *_optional("RSTPDN", part.rst),
    ]
    return "PN532 card reader", [*wires, *_power(VOLTS_3)], ("Its switches: 1 off, 2 on.",)


@_wired.register
def _(part: Pn532I2c) -> _Wired:
    wires = [
        Wire("SDA", part.sda),
        Wire("SCL", part.scl),
        *_optional("IRQ", part.irq),
        *_optional("RSTPDN", part.rst),
    ]
    return "PN532 card reader", [*wires, *_power(VOLTS_3)], ("Its switches: 1 on, 2 off.",)


@_wired.register
def _(part: Wiegand) -> _Wired:
    divided = ("20 kΩ", GROUND)
    wires = [
        Wire("D0 (green)", part.d0, through="10 kΩ", across=divided),
        Wire("D1 (white)", part.d1, through="10 kΩ", across=divided),
        Wire("GND (black)", GROUND),
    ]
    notes = ("Its red wire goes to + of its own 12 V supply, whose − goes to GND.",)
    return "Wiegand reader or keypad", wires, (*notes, "D0 and D1 carry 5 V: two resistors each.")


@_wired.register
def _(part: Matrix) -> _Wired:
    wires = [Wire(f"row {i}", gpio) for i, gpio in enumerate(part.rows, 1)]
    wires += [Wire(f"column {i}", gpio) for i, gpio in enumerate(part.cols, 1)]
    width = len(part.cols)
    lines = " / ".join(part.keys[at : at + width] for at in range(0, len(part.keys), width))
    return "Keypad", wires, (f"Its keys, row by row: {lines}",)


@_wired.register
def _(part: Strike) -> _Wired:
    lock, current = ("strike", "opens") if part.fail == "secure" else ("magnet", "locks")
    notes = (
        f"COM and NO: into the + wire between the {lock} and its own supply.",
        f"The {lock} {current} while the relay is on.",
    )
    return "Relay board", [Wire("IN", part.pin), *_power(VOLTS_5)], notes


@_wired.register
def _(part: Contact) -> _Wired:
    closed = "closed" if part.closed == 0 else "open"
    return (
        "",
        _switch("one side", part.pin),
        (f"A reed switch that is {closed} while the door is shut.",),
    )


@_wired.register
def _(part: Switch) -> _Wired:
    return "", _switch("one side", part.pin), ()


def _switch(terminal: str, gpio: int) -> list[Wire]:
    return [Wire(terminal, gpio), Wire("other side", GROUND)]


@_wired.register
def _(part: Pir) -> _Wired:
    return "Motion sensor", [Wire("OUT", part.pin), *_power(VOLTS_5)], ()


@_wired.register
def _(part: Battery) -> _Wired:
    upper = ohms(round((part.ratio - 1) * 100_000))
    wires = [Wire("+", part.pin, through=upper, across=("100 kΩ", GROUND)), Wire("−", GROUND)]
    return (
        "Battery",
        wires,
        (f"{part.ratio:g} V at the battery are 1 V at the pin; 2.4 V there at most.",),
    )


@_wired.register
def _(part: Buzzer) -> _Wired:
    kind = "A passive one: it hums at the board's tone." if part.hz else "It sounds by itself."
    return "Buzzer", [Wire("+", part.pin, through="100 Ω"), Wire("−", GROUND)], (kind,)


@_wired.register
def _(part: Led) -> _Wired:
    colours = (("red", part.r), ("green", part.g), ("blue", part.b))
    wires = [Wire(name, gpio, through="330 Ω") for name, gpio in colours if gpio is not None]
    common = Wire("−", GROUND) if part.active else Wire("+", VOLTS_3)
    return "Status light", [*wires, common], ()


_LAMP_NOTE = "V+ and V− of the module: the supply of the LEDs. OUT: the LEDs."


@_wired.register
def _(part: White) -> _Wired:
    return "MOSFET module, lamp", [Wire("IN", part.pin), Wire("GND", GROUND)], (_LAMP_NOTE,)


@_wired.register
def _(part: TunableWhite) -> _Wired:
    wires = [
        Wire("IN, warm", part.warm),
        Wire("IN, cool", part.cool),
        Wire("GND", GROUND),
    ]
    tones = f"Warm: {part.warm_k} K; cool: {part.cool_k} K."
    return "Two MOSFET modules, lamp", wires, (tones, _LAMP_NOTE)


@_wired.register
def _(part: Servo) -> _Wired:
    wires = [Wire("orange", part.pin), Wire("brown", GROUND)]
    note = "Red: + of a 5 V supply of its own, whose − goes to GND. A servo that starts takes more than USB gives."
    return "Padlock: servo and switch", [*wires, *_bolt(part)], (note,)


@_wired.register
def _(part: Solenoid) -> _Wired:
    wires = [Wire("IN", part.pin), Wire("GND", GROUND)]
    note = "MOSFET module. V+ and V−: the supply of the coil. OUT: the coil."
    return "Padlock: solenoid and switch", [*wires, *_bolt(part)], (note,)


def _bolt(part: Servo | Solenoid) -> list[Wire]:
    if part.switch is None:
        return []
    return [Wire("bolt switch", part.switch.pin), Wire("its other side", GROUND)]
