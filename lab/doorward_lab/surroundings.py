"""The world around a board: cards before its reader, levels on its inputs, keys, a bolt that sticks.

The world outlives a reset, so every command is remembered until the next one replaces it. Every method returns the
lines that tell the board of it; the caller sends them.
"""

from collections.abc import Mapping
from typing import Any

from doorward_lab.air import Air
from doorward_lab.errors import SiteError
from doorward_lab.readers import reader, uid_bytes

# What the level of an input means, by part: the key in its wiring that tells the level of `on`.
_SWITCHES = {"rex": "active", "tamper": "active", "button": "active", "pir": "active"}


class Surroundings:
    """Makes the lines that tell a board of its world."""

    def __init__(self, pins: Mapping[str, Any]) -> None:
        """pins: the wiring from config.json."""
        self._pins = pins
        self.reader = reader(pins.get("reader"))
        self._inputs: dict[int, int] = {}
        self._stuck: dict[int, int] = {}
        self._inverted: set[int] = set()
        self._faults: dict[str, str] = {}
        self._down: tuple[int, ...] = ()
        self._jammed = False
        self._air = ""

    @property
    def contact_open(self) -> bool | None:
        """Whether the door stands open; None without a contact."""
        contact: Mapping[str, int] | None = self._pins.get("contact")
        if contact is None:
            return None
        return self._inputs.get(contact["pin"], contact["closed"]) != contact["closed"]

    def card(self, uid: bytes | str, sak: int | None = None, bcc_xor: int = 0) -> list[str]:
        """Put one more card into the field. bcc_xor: not zero spoils what it says."""
        return self.reader.card(uid_bytes(uid), sak, bcc_xor)

    def no_card(self) -> list[str]:
        """Empty the field."""
        return self.reader.no_card()

    def pin(self, number: int, level: int) -> list[str]:
        """Put a level on an input."""
        self._inputs[number] = int(bool(level))
        return [self._line(number)]

    def stuck(self, part: str, field: str, level: int | None) -> list[str]:
        """Hold a part's line at a level whatever the world does, or let it go (None). Raises SiteError."""
        number: int = self.part(part, part)[field]
        self._inputs.setdefault(number, self._idle(part, number))
        if level is None:
            self._stuck.pop(number, None)
        else:
            self._stuck[number] = level
        return [self._line(number)]

    def invert(self, part: str, field: str, *, is_inverted: bool) -> list[str]:
        """Have a part's line say the opposite, or not. Raises SiteError."""
        number: int = self.part(part, part)[field]
        self._inputs.setdefault(number, self._idle(part, number))
        (self._inverted.add if is_inverted else self._inverted.discard)(number)
        return [self._line(number)]

    def fault(self, name: str, *values: int, on: bool) -> list[str]:
        """What is wrong inside the board's process. on: it is still so after the next start."""
        line = " ".join(("fault", name, *map(str, values)))
        self._faults.pop(name, None)
        if on:
            self._faults[name] = line
        return [line]

    def _line(self, number: int) -> str:
        level = self._stuck.get(number, self._inputs[number] ^ int(number in self._inverted))
        return f"pin {number} {level}"

    def _idle(self, part: str, number: int) -> int:
        """The level of a line while nothing happens."""
        wiring = self._pins[part]
        if part == "contact":
            idle: int = wiring["closed"]
        else:
            idle = 1 - wiring["active"] if "active" in wiring else 1
        return self._inputs.get(number, idle)

    def contact(self, is_open: bool) -> list[str]:
        """Open or close the door. Raises SiteError when the board has no contact."""
        contact = self.part("contact", "door contact")
        return self.pin(contact["pin"], contact["closed"] ^ int(is_open))

    def switch(self, part: str, is_on: bool) -> list[str]:
        """Press or let go what is wired as rex or tamper, or move before a pir. Raises SiteError."""
        if part not in _SWITCHES:
            raise SiteError(f"part is {part!r}; give one of {', '.join(_SWITCHES)}")
        wiring = self.part(part, part)
        active: int = wiring[_SWITCHES[part]]
        return self.pin(wiring["pin"], active if is_on else 1 - active)

    @property
    def has_matrix(self) -> bool:
        """Whether its keys are switches, which the board has to look at; not a reader's own."""
        return "keys" in (self._pins.get("keypad") or {})

    def keys(self, keys: str) -> list[str]:
        """Hold these keys of a matrix down, and no others; a reader's own are told once. Raises SiteError."""
        keypad = self._pins.get("keypad")
        if keypad is None or not self.has_matrix:
            teller = reader(keypad) if keypad else self.reader
            return [line for key in keys for line in teller.key(key)]
        known: str = keypad["keys"]
        for key in keys:
            if key not in known:
                raise SiteError(f"there is no key {key!r}; the keys are {known}")
        self._down = tuple(known.index(key) for key in keys)
        return self._keys_down()

    def jam(self, is_jammed: bool) -> list[str]:
        """Hold a padlock's bolt where it is, or let it go. Raises SiteError when the board has none."""
        self.part("padlock", "padlock")
        self._jammed = is_jammed
        return [f"jam {int(is_jammed)}"]

    def wifi(self, air: Air, ssid: str | None, key: str | None) -> list[str]:
        """Make the access point good or bad. ssid, key: what it is called and wants; None takes any."""
        words = ("-" if word is None else word.encode().hex() for word in (ssid, key))
        self._air = " ".join(("wifi", str(air.value), *words))
        return [self._air]

    def lines(self) -> list[str]:
        """Return all that a board has to hear after power-on."""
        lines = [self._line(number) for number in self._inputs]
        lines += self._faults.values()
        if self._down:
            lines += self._keys_down()
        if self._jammed:
            lines.append("jam 1")
        if self._air:
            lines.append(self._air)
        return lines + self.reader.lines()

    def _keys_down(self) -> list[str]:
        return [" ".join(("keys", *map(str, self._down)))]

    def part(self, name: str, words: str) -> Mapping[str, Any]:
        """The wiring of a part. Raises SiteError, which calls it `words`, when the board has none."""
        wiring: Mapping[str, Any] | None = self._pins.get(name)
        if wiring is None:
            raise SiteError(f"this board has no {words}; give it pins.{name} in its profile")
        return wiring
