# wiegand.py  A Wiegand reader: a falling edge of D0 or D1 for each bit. Time between bits is not modelled: they come
# when the firmware next touches the chip, one behind the other.
from micropython import const

import machine
from lab_parts import link

_CARD = const(26)  # bits; a key has 4 or 8


class Wiegand:
    def __init__(self, d0, d1):
        self._lines = (d0, d1)
        machine.levels[d0] = machine.levels[d1] = 1

    def told(self, words):
        # wiegand BITS, as many 0 and 1 as the frame has
        for bit in words[1]:
            self.pulse(bit - 48)
        if len(words[1]) < _CARD:
            link.send(b"keys")  # the next one may come

    def pulse(self, bit):
        number = self._lines[bit]
        pin = machine.pins.get(number)
        if pin:
            pin.change(0)
            pin.change(1)


def solder(wiring):
    # wiring: pins.reader or pins.keypad of config.json.
    link.handlers[b"wiegand"] = Wiegand(wiring["d0"], wiring["d1"]).told
