"""Who carries credentials."""

from dataclasses import dataclass

Dates = tuple[int | None, int | None]
"""First and last day, since 2000-01-01, both included; None: no bound."""

ANY_DAY: Dates = (None, None)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with access levels. Days are since 2000-01-01, None = no bound, both ends included."""

    id: int
    name: str
    active: bool = True
    valid_from: int | None = None
    valid_until: int | None = None
    levels: frozenset[int] = frozenset()
