# A switch or button to ground or to 3.3 V, debounced by counting equal samples: REX, tamper, and
# what the door contact is made of.

from doorward_core.compat import const

# At a sample every 25 ms: contacts bounce for a few ms, a gust of wind does not open a latched
# door for 75, and no finger is quicker.
_SAMPLES = const(3)


class Debounced:
    # pin: an input, pin() is its level; active: the level read while the switch is `on`.
    def __init__(self, pin, active):
        self._pin = pin
        self._active = active
        self.on = pin() == active
        self._against = 0

    def sample(self):
        # To be called at a steady pace. True if `on` has just changed.
        if (self._pin() == self._active) == self.on:
            self._against = 0
            return False
        self._against += 1
        if self._against < _SAMPLES:
            return False
        self._against = 0
        self.on = not self.on
        return True


def make(settings):
    # settings: pin, active, and pull where it is not "up".
    return Debounced(pin(settings), settings["active"])


def pin(settings):
    # An input. pull: "up", "down", or "none" where a resistor stands outside, as GPIO 34 to 39 need.
    from machine import Pin

    pull = settings.get("pull", "up")
    pulls = {"up": Pin.PULL_UP, "down": Pin.PULL_DOWN, "none": None}
    return Pin(settings["pin"], Pin.IN, pulls[pull])
