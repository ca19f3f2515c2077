# A passive infrared sensor: its output is high while somebody moves before it, and for some seconds
# after. It sees ghosts while it warms up, and falls back between two movements of one person.

from doorward_core.compat import const, ticks_add, ticks_diff

# A sample every 25 ms: a spike of the Wi-Fi's transmitter is shorter than two.
_SAMPLES = const(2)


class Pir:
    # pin: an input, pin() is its level; active: the level while it sees somebody. warm_ms: not
    # trusted so long after power-on; hold_ms: `on` stays so long after it was last seen active.
    def __init__(self, pin, active, warm_ms, hold_ms, now):
        self._pin = pin
        self._active = active
        self._hold_ms = hold_ms
        self._deadline = ticks_add(now, warm_ms)  # of warming up, then of being on
        self.warm = False
        self.on = False
        self._seen = 0

    def sample(self, now):
        # To be called at a steady pace. True if `on` has just changed.
        if not self.warm:
            if ticks_diff(now, self._deadline) < 0:
                return False
            self.warm = True
        self._seen = self._seen + 1 if self._pin() == self._active else 0
        if self._seen >= _SAMPLES:
            self._seen = _SAMPLES
            self._deadline = ticks_add(now, self._hold_ms)
            if not self.on:
                self.on = True
                return True
        elif self.on and ticks_diff(now, self._deadline) >= 0:
            self.on = False
            return True
        return False


def make(settings):
    # settings: pin; active, 1 for most; pull; warm_s; hold_s.
    from time import ticks_ms

    from doorward_drivers.debounce import pin

    return Pir(
        pin(settings),
        settings["active"],
        settings["warm_s"] * 1000,
        settings["hold_s"] * 1000,
        ticks_ms(),
    )
