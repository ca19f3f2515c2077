"""The door itself: a relay with its coil, the current of the lock, and somebody who pulls at the leaf.

Whoever pulls opens the door as soon as the lock lets go, and lets it fall shut when they have had enough.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Lock:
    """What is wrong with it. inverted: the relay switches at the other level; dead: its coil never does."""

    inverted: bool = False
    dead: bool = False
    no_supply: bool = False


class Leaf:
    """One door's. `move` is called with True when somebody opens it, and with False when it has fallen shut."""

    def __init__(self, strike: Mapping[str, Any] | None, move: Callable[[bool], object]) -> None:
        """strike: pins.strike of the profile, None for a board without one."""
        self.lock = Lock()
        self.pin: int | None = strike["pin"] if strike else None
        self.clicks = 0
        self._active = strike["active"] if strike else 1
        self._safe = strike is not None and strike.get("fail") == "safe"
        self._move = move
        self._level: int | None = None
        self._coil = False
        self._pulled = False

    @property
    def released(self) -> bool:
        """Whether the lock lets the door go: a strike that has current, or a magnet that has none."""
        current = self._coil and not self.lock.no_supply
        return current != self._safe

    def driven(self, level: int | None) -> None:
        """The relay's pin has another level; None: nothing drives it."""
        self._level = level
        self.settle()

    def pull(self, *, is_pulled: bool) -> None:
        """Begin to pull, or let go."""
        if not is_pulled and self._pulled:
            self._move(False)
        self._pulled = is_pulled
        self.settle()

    def settle(self) -> None:
        """After anything has changed: the coil follows its level, and the door follows who pulls."""
        asked = self._level is not None and self._level == self._active
        coil = not self.lock.dead and asked != (self.lock.inverted and self._level is not None)
        if coil != self._coil:
            self._coil = coil
            self.clicks += 1
        if self._pulled and self.released:
            self._move(True)
