# The status LED: one colour, or up to three behind one lens.

from doorward_drivers.pattern import Player


class Led(Player):
    # pins: letter of a pattern -> output; active: the level that lights it. A LED of one colour
    # takes every letter for its own.
    def __init__(self, pins, active):
        self._pins = pins
        self._active = active
        super().__init__(self._light)

    def _light(self, what):
        for letter in self._pins:
            lit = letter in what or (what and len(self._pins) == 1)
            self._pins[letter](self._active if lit else 1 - self._active)


def make(settings):
    # settings: the pins r, g, b, as many as there are; active.
    from machine import Pin

    active = settings["active"]
    pins = {}
    for letter in "rgb":
        if letter in settings:
            pins[letter] = Pin(settings[letter], Pin.OUT, value=1 - active)
    return Led(pins, active)
