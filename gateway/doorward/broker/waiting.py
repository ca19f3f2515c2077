"""Whoever waits for the disk."""

from typing import NamedTuple, Protocol


class Waiting(Protocol):
    """Whoever hears that everything noted before is on disk."""

    @property
    def gone(self) -> bool:
        """True when it need not be told any more."""

    def committed(self) -> None:
        """It is there."""


class Holder(Protocol):
    """Whoever sends a packet on once its cause is on disk."""

    @property
    def gone(self) -> bool:
        """True when nobody is there to send it to."""

    def let_out(self, packet: bytes) -> None:
        """Its cause is on disk: send it."""


class Held(NamedTuple):
    """One packet that waits."""

    packet: bytes
    by: Holder

    @property
    def gone(self) -> bool:
        return self.by.gone

    def committed(self) -> None:
        self.by.let_out(self.packet)


def heard(waiting: list[Waiting]) -> list[Waiting]:
    """Without those who need not be told any more."""
    return [one for one in waiting if not one.gone]
