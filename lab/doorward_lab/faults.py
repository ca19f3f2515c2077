"""What goes wrong with real boards, each by a name, to be put on a virtual one and taken off again.

Every fault is what a soldering iron, a loose plug or a dying part does; what the firmware and the gateway make of it is
for them to find out.
"""

from collections.abc import Callable, Mapping
from typing import Any

from doorward_lab.errors import SiteError
from doorward_lab.leaf import Leaf
from doorward_lab.readers import Fault
from doorward_lab.surroundings import Surroundings

_WEAK_DBM = -88
_USUAL_DBM = -50
# Where most tutorials put an RC522's SDA.
_TUTORIAL_CS = 5
_WIRES = ("sck", "mosi", "miso", "cs", "rst")

_Put = Callable[[Surroundings, Leaf, bool], list[str]]


def names() -> tuple[str, ...]:
    """Every fault that there is."""
    return tuple(_FAULTS)


def meaning(name: str) -> str:
    """What it is, in words."""
    return _FAULTS[name][0]


def put(name: str, world: Surroundings, leaf: Leaf, *, on: bool) -> list[str]:
    """Break something, or mend it: the lines that the board has to hear. Raises SiteError."""
    if name not in _FAULTS:
        raise SiteError(f"fault {name!r} is not known; use one of {', '.join(_FAULTS)}")
    lines = _FAULTS[name][1](world, leaf, on)
    leaf.settle()
    return lines


def _swapped(one: str, other: str) -> _Put:
    return lambda world, _leaf, on: _wired(world, {one: other, other: one} if on else {})


def _wired(world: Surroundings, moved: Mapping[str, str | int]) -> list[str]:
    """The reader's terminals on other pins: by the name of the one whose pin it is, or by its number."""
    pins = world.part("reader", "card reader")
    if pins.get("driver", "mfrc522") != "mfrc522":
        raise SiteError("only an RC522's wires can be moved here; give another fault")
    meant = {name: -1 if pins.get(name) is None else pins[name] for name in _WIRES}
    real = {}
    for name in _WIRES:
        place = moved.get(name, name)
        real[name] = meant[place] if isinstance(place, str) else place
    numbers = [pins["spi"], *real.values(), *meant.values()]
    return world.fault("wires", *numbers, on=bool(moved))


def _elsewhere(world: Surroundings, _leaf: Leaf, on: bool) -> list[str]:
    return _wired(world, {"cs": _TUTORIAL_CS} if on else {})


def _reader(fault: Fault) -> _Put:
    return lambda world, _leaf, on: world.reader.fault(fault if on else Fault.NONE)


def _sag(world: Surroundings, _leaf: Leaf, on: bool) -> list[str]:
    world.part("reader", "card reader")
    return world.fault("sag", int(on), on=on)


def _lock(field: str) -> _Put:
    def break_it(world: Surroundings, leaf: Leaf, on: bool) -> list[str]:
        world.part("strike", "strike")
        setattr(leaf.lock, field, on)
        return []

    return break_it


def _contact_off(world: Surroundings, _leaf: Leaf, on: bool) -> list[str]:
    return world.stuck("contact", "pin", 1 if on else None)


def _contact_inverted(world: Surroundings, _leaf: Leaf, on: bool) -> list[str]:
    return world.invert("contact", "pin", is_inverted=on)


def _active(part: str) -> _Put:
    """An input that says all the time what it should say now and then."""

    def hold(world: Surroundings, _leaf: Leaf, on: bool) -> list[str]:
        level: int = world.part(part, part)["active"]
        return world.stuck(part, "pin", level if on else None)

    return hold


def _weak(world: Surroundings, _leaf: Leaf, on: bool) -> list[str]:
    return world.fault("rssi", _WEAK_DBM if on else _USUAL_DBM, on=on)


def _full(world: Surroundings, _leaf: Leaf, on: bool) -> list[str]:
    return world.fault("fill", int(on), on=False)  # what lies on a flash outlives a reset by itself


def _d0_low(world: Surroundings, _leaf: Leaf, on: bool) -> list[str]:
    part = "reader" if "d0" in world.part("reader", "reader") else "keypad"
    return world.stuck(part, "d0", 0 if on else None)


def _key(world: Surroundings, _leaf: Leaf, on: bool) -> list[str]:
    return world.keys(world.part("keypad", "keypad")["keys"][:1] if on else "")


_FAULTS: dict[str, tuple[str, _Put]] = {
    "mosi-miso-swapped": ("the reader's MOSI and MISO have changed places", _swapped("mosi", "miso")),
    "sda-rst-swapped": ("the reader's SDA and RST have changed places", _swapped("cs", "rst")),
    "sda-elsewhere": ("the reader's SDA hangs on GPIO 5", _elsewhere),
    "reader-unplugged": ("the reader's plug is out", _reader(Fault.DEAD)),
    "supply-dips": ("the reader's supply breaks down under its antenna", _sag),
    "antenna-cut": ("a PN532's antenna is broken", _reader(Fault.ANTENNA)),
    "relay-inverted": ("the relay switches at the other level", _lock("inverted")),
    "relay-dead": ("the relay never switches", _lock("dead")),
    "no-lock-supply": ("the lock's own supply is off", _lock("no_supply")),
    "contact-off": ("a wire of the door contact is off", _contact_off),
    "contact-inverted": ("the door contact says the opposite", _contact_inverted),
    "rex-shorted": ("the exit button is pressed for ever", _active("rex")),
    "button-shorted": ("the lamp's button is pressed for ever", _active("button")),
    "tamper-open": ("the lid switch says that the lid is off", _active("tamper")),
    "pir-stuck": ("the motion sensor sees somebody for ever", _active("pir")),
    "weak-wifi": ("the Wi-Fi arrives with -88 dBm", _weak),
    "flash-full": ("nothing fits on the flash any more", _full),
    "d0-low": ("D0 of a Wiegand reader is shorted to ground", _d0_low),
    "key-stuck": ("the first key of the keypad is pressed for ever", _key),
}  # fmt: skip


def described() -> dict[str, Any]:
    """Each fault and what it is."""
    return {name: meaning(name) for name in names()}
