"""Who carries credentials."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with access levels. Days are since 2000-01-01, None = no bound, both ends included."""

    id: int
    name: str
    active: bool = True
    valid_from: int | None = None
    valid_until: int | None = None
    levels: frozenset[int] = frozenset()
