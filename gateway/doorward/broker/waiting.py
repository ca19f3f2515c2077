"""Whoever waits for the disk."""

from typing import NamedTuple, Protocol

from doorward.broker.ports import Answerable


class Waiting(Protocol):
    """Whoever hears that everything noted before is on disk."""

    @property
    def gone(self) -> bool:
        """True when it need not be told any more."""

    def committed(self) -> None:
        """It is there."""


class Held(NamedTuple):
    """One packet that waits."""

    by: Answerable
    packet: bytes

    @property
    def gone(self) -> bool:
        return self.by.gone

    def committed(self) -> None:
        self.by.acknowledge(self.packet)


def heard(waiting: list[Waiting]) -> list[Waiting]:
    """Without those who need not be told any more."""
    return [one for one in waiting if not one.gone]
