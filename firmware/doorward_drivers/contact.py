# The door contact: a reed switch to ground, debounced by counting equal samples.

from doorward_core.compat import const
from machine import Pin

# At a sample every 25 ms: a reed that bounces settles within a few ms, a gust of wind does not
# open a latched door for 75.
_SAMPLES = const(3)


class Contact:
    # closed: the level read while the door is closed.
    def __init__(self, pin: int, closed: int) -> None:
        self.pin = Pin(pin, Pin.IN, Pin.PULL_UP)
        self.closed = closed
        self.open = self.pin() != closed
        self._against = 0

    def sample(self) -> bool:
        # To be called at a steady pace. True if `open` has just changed.
        if (self.pin() != self.closed) == self.open:
            self._against = 0
            return False
        self._against += 1
        if self._against < _SAMPLES:
            return False
        self._against = 0
        self.open = not self.open
        return True
