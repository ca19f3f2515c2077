"""How one board is wired, as far as words about it need it: which terminal hangs on which pin, and where that is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Terminal:
    """One end of a wire. name: what is printed at the part; place: where its pin is on the development board."""

    name: str
    gpio: int
    place: str

    def __str__(self) -> str:
        """The terminal with its pin, for a sentence."""
        return f"{self.name} (GPIO {self.gpio}{f', {self.place}' if self.place else ''})"


@dataclass(frozen=True, slots=True)
class Wiring:
    """A board's parts as its config has them, and their terminals by field, as reader.miso or keypad.rows[1].

    near: pins that nothing hangs on, the nearest to the reader's select first.
    """

    parts: Mapping[str, Mapping[str, Any]]
    terminals: Mapping[str, Terminal]
    places: Mapping[int, str]
    near: tuple[int, ...] = ()

    def at(self, field: str) -> str:
        """A terminal in words."""
        known = self.terminals.get(field)
        return str(known) if known else field.rpartition(".")[2].upper()

    def name(self, field: str) -> str:
        """What is printed at a terminal."""
        known = self.terminals.get(field)
        return known.name if known else field.rpartition(".")[2].upper()

    def pin(self, gpio: int) -> str:
        """A pin in words."""
        place = self.places.get(gpio)
        return f"GPIO {gpio}" + (f" ({place})" if place else "")
