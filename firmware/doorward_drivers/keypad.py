# A matrix keypad: rows are pulled low one after the other, columns tell what is pressed.
#
# Without diodes three keys at once show a fourth that nobody presses, so three or more are refused
# until all are up. What is typed is kept by nobody here: each key is told once.

from doorward_core.compat import const

# At a sample every 25 ms: membranes bounce for up to 20 ms.
_SAMPLES = const(2)
_MOST_AT_ONCE = const(2)


class Keypad:
    # rows: open-drain outputs, left high; cols: inputs with a pull-up; keys: their names, row by row.
    def __init__(self, rows, cols, keys):
        self._rows = rows
        self._cols = cols
        self._keys = keys
        self._seen = self._pressed = 0  # one bit a key: at the last sample, and settled
        self._equal = 0
        self._refused = False

    def sample(self):
        # To be called at a steady pace. The key that went down since, or None.
        seen = self._scan()
        self._equal = self._equal + 1 if seen == self._seen else 1
        self._seen = seen
        if self._equal < _SAMPLES or seen == self._pressed:
            return None
        new = seen & ~self._pressed
        self._pressed = seen
        if not seen:
            self._refused = False
        elif not self._refused and _ones(seen) > _MOST_AT_ONCE:
            self._refused = True
        # Two that went down within one sample have no order.
        if self._refused or _ones(new) != 1:
            return None
        return self._keys[_first(new)]

    def _scan(self):
        seen = 0
        bit = 1
        for row in self._rows:
            row(0)
            for column in self._cols:
                if not column():
                    seen |= bit
                bit <<= 1
            row(1)
        return seen


def _ones(mask):
    count = 0
    while mask:
        mask &= mask - 1
        count += 1
    return count


def _first(mask):
    place = 0
    while not mask >> place & 1:
        place += 1
    return place


def make(settings):
    # settings: rows and cols, lists of pins; keys, as many characters as there are crossings.
    from machine import Pin

    return Keypad(
        [Pin(pin, Pin.OPEN_DRAIN, value=1) for pin in settings["rows"]],
        [Pin(pin, Pin.IN, Pin.PULL_UP) for pin in settings["cols"]],
        settings["keys"],
    )
