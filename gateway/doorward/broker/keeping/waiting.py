"""Whoever waits for the disk."""

from typing import Protocol


class Waiting(Protocol):
    """Whoever hears that everything noted before is on disk."""

    @property
    def gone(self) -> bool:
        """True when it need not be told any more."""

    def committed(self) -> None:
        """It is there."""


def heard(waiting: list[Waiting]) -> list[Waiting]:
    """Without those who need not be told any more."""
    return [one for one in waiting if not one.gone]
