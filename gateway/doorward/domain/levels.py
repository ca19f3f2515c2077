"""Access levels: which doors, and when."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AccessLevel:
    """A named set of doors, each with the schedule that holds there: (door id, schedule id)."""

    id: int
    name: str
    grants: frozenset[tuple[str, int]] = frozenset()
