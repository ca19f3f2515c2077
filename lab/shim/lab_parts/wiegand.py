# wiegand.py  A Wiegand reader: a falling edge of D0 or D1 for each bit. Time between bits is not modelled: they come
# when the firmware next touches the chip, one behind the other.
import machine
from lab_parts import link


class Wiegand:
    def __init__(self, d0, d1):
        self._lines = (d0, d1)
        machine.levels[d0] = machine.levels[d1] = 1

    def told(self, words):
        # wiegand BITS, as many 0 and 1 as the frame has
        for bit in words[1]:
            self.pulse(bit - 48)

    def pulse(self, bit):
        number = self._lines[bit]
        pin = machine.pins.get(number)
        if pin:
            pin.change(0)
            pin.change(1)


def solder(wiring):
    # wiring: pins.reader or pins.keypad of config.json.
    link.handlers[b"wiegand"] = Wiegand(wiring["d0"], wiring["d1"]).told
