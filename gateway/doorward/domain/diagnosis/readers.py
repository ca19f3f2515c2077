"""The card reader: what its chip answers, or why it does not.

Versions of an MFRC522: NXP's data sheet 9.3.4.8, and clones that work. PN532: UM0701-02, 7.2.2 and 7.2.1.
"""

from typing import Any, NamedTuple

from doorward.domain.diagnosis.findings import Finding, Readings, Rule, number
from doorward.domain.wiring import Wiring

_NOTHING = (0x00, 0xFF)
_MFRC522 = frozenset({0x12, 0x88, 0x90, 0x91, 0x92, 0xB2})
_ANTENNA_BITS = 0xC0
# Who mends wires restarts the reader, too; this often nobody does.
_RESTARTS = 10
_APART_S = 600


class _Rc522(NamedTuple):
    """What an RC522 said. mute: it answers the same everywhere; alone: and nothing that was tried changes that."""

    said: dict[str, Any]
    version: int
    mute: bool

    @property
    def alone(self) -> bool:
        return self.mute and "swap" not in self.said and "cs" not in self.said


def _rc522(readings: Readings) -> _Rc522 | None:
    """None for every other reader, and for one of which no version was read."""
    said = dict(readings.get("reader", {}))
    version = number(said, "version")
    if said.get("chip") != "mfrc522" or version is None:
        return None
    return _Rc522(said, version, version in _NOTHING)


def _held_at(said: dict[str, Any]) -> str | None:
    """The level at which MISO stays whichever way it is pulled; None where it follows, or was not looked at."""
    up, down = said.get("up"), said.get("down")
    if up != down:
        return None
    return {0x00: "low", 0xFF: "high"}.get(up) if isinstance(up, int) else None


def _swapped(readings: Readings, wiring: Wiring) -> Finding | None:
    found = _rc522(readings)
    pair = found.said.get("swap") if found and found.mute else None
    if not isinstance(pair, list) or len(pair) != 2:
        return None
    one, other = (f"reader.{name}" for name in pair)
    return Finding(
        "reader.swapped",
        f"The reader answers as soon as {wiring.name(one)} and {wiring.name(other)} change places",
        f"they are swapped; exchange the wires of {wiring.at(one)} and {wiring.at(other)}",
        (one, other),
    )


def _select(readings: Readings, wiring: Wiring) -> Finding | None:
    found = _rc522(readings)
    pin = number(found.said, "cs") if found and found.mute else None
    if pin is None:
        return None
    return Finding(
        "reader.select",
        f"The reader answers on {wiring.pin(pin)}, where its {wiring.name('reader.cs')} wire is",
        f"move that wire to {wiring.at('reader.cs')}",
        ("reader.cs",),
    )


def _held(readings: Readings, wiring: Wiring) -> Finding | None:
    found = _rc522(readings)
    level = _held_at(found.said) if found and found.alone else None
    if found is None or level is None:
        return None
    rail = "GND" if level == "low" else "3.3 V"
    return Finding(
        "reader.held",
        f"The reader answers {found.version:#04x} everywhere, and its MISO is held {level}",
        f"the wire of {wiring.at('reader.miso')} touches {rail} or its neighbour; free it",
        ("reader.miso",),
    )


def _silent(readings: Readings, wiring: Wiring) -> Finding | None:
    found = _rc522(readings)
    if found is None or not found.alone or _held_at(found.said) is not None:
        return None
    order = ", ".join(wiring.at(f"reader.{name}") for name in ("cs", "rst", "sck", "mosi"))
    return Finding(
        "reader.silent",
        f"The reader answers {found.version:#04x} everywhere, and nothing drives its MISO",
        f"it has no power, or is not connected; check its 3.3V and GND first, then {wiring.at('reader.miso')}, {order}",
        ("reader.miso", "reader.cs"),
    )


def _supply(readings: Readings, wiring: Wiring) -> Finding | None:
    found = _rc522(readings)
    if found is None or found.mute:
        return None
    if found.said.get("antenna") and found.said.get("configured"):
        return None
    return Finding(
        "reader.supply",
        "The reader answers, and forgets its settings when its antenna takes current",
        "its supply breaks down; give 3.3V and GND shorter wires, and put 100 µF between them at the reader",
        ("reader.cs",),
    )


def _noise(readings: Readings, wiring: Wiring) -> Finding | None:
    found = _rc522(readings)
    if found is None or found.mute or found.version in _MFRC522:
        return None
    return Finding(
        "reader.noise",
        f"The reader answers {found.version:#04x}, which no RC522 does",
        f"bits are lost on the way; shorten the wires of {wiring.at('reader.sck')} and {wiring.at('reader.miso')}",
        ("reader.sck", "reader.miso"),
    )


def _pn532(readings: Readings, wiring: Wiring) -> Finding | None:
    said = readings.get("reader", {})
    if said.get("chip") != "pn532" or said.get("version") != 0:
        return None
    bus = wiring.parts.get("reader", {}).get("bus", "spi")
    switches, first, second = (
        ("1 on, 2 off", "sda", "scl") if bus == "i2c" else ("1 off, 2 on", "cs", "miso")
    )
    one, other = wiring.at(f"reader.{first}"), wiring.at(f"reader.{second}")
    return Finding(
        "reader.pn532",
        "The PN532 does not answer",
        f"check its switches ({switches}), then 3.3V and GND, then {one} and {other}",
        (f"reader.{first}", f"reader.{second}"),
    )


def _antenna(readings: Readings, wiring: Wiring) -> Finding | None:
    said = readings.get("reader", {})
    register = number(said, "antenna")
    if said.get("chip") != "pn532" or register is None or not register & _ANTENNA_BITS:
        return None
    return Finding(
        "reader.antenna",
        f"The PN532's own test says that its antenna takes no current ({register:#04x})",
        "its coil is broken or comes off; solder it, and keep metal away from it",
    )


def _restarts(readings: Readings, wiring: Wiring) -> Finding | None:
    board = readings.get("board", {})
    restarts, uptime = number(board, "resets"), number(board, "uptime")
    if restarts is None or uptime is None or restarts < _RESTARTS:
        return None
    if uptime > restarts * _APART_S:
        return None
    return Finding(
        "reader.restarts",
        f"The reader was lost and found {restarts} times in {uptime // 60} minutes",
        f"one of its wires is loose; press on each, {wiring.at('reader.rst')} first, and give its 3.3V 100 µF",
        ("reader.rst",),
    )


RULES = (
    Rule("reader.swapped", _swapped),
    Rule("reader.select", _select),
    Rule("reader.held", _held),
    Rule("reader.silent", _silent),
    Rule("reader.noise", _noise),
    Rule("reader.supply", _supply),
    Rule("reader.pn532", _pn532),
    Rule("reader.antenna", _antenna),
    Rule("reader.restarts", _restarts),
)
