"""What a diagnosis is made of: readings as a board sends them, rules, and findings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from doorward.domain.wiring import Wiring

Readings = Mapping[str, Mapping[str, Any]]
"""By part of the self-test (docs/protocol.md): `reader`, `inputs`, `lock`, … . A part that is missing was not read."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. what: the symptom; remedy: the next step. wires: the fields whose wires it is about."""

    code: str
    what: str
    remedy: str
    wires: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """Both, as one tells somebody with a screwdriver."""
        return f"{self.what}: {self.remedy}."


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table. `look` returns what it finds, with the rule's own code, or None."""

    code: str
    look: Callable[[Readings, Wiring], Finding | None]


def number(part: Mapping[str, Any], name: str) -> int | None:
    """A reading that should be a whole number; None when the board said something else, or nothing."""
    value = part.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
