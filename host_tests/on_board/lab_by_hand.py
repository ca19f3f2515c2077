# The lab's end of the wire for tests that run the shim's parts in their own process.

import machine
from lab_parts import link, pwm

LAB = (__file__.rsplit("/", 1)[0] if "/" in __file__ else ".") + "/../../lab"


class Lab:
    # Hears every line.
    def __init__(self):
        self.said = b""

    def readinto(self, _buffer):
        return None

    def write(self, data):
        self.said += data
        return len(data)

    def heard(self, word, pin):
        # What the lines of this word say about a pin, as tuples of numbers.
        words = [line.split() for line in self.said.split(b"\n")]
        found = [w for w in words if len(w) > 1 and w[0] == word and int(w[1]) == pin]
        return [tuple([int(number) for number in w[2:]]) for w in found]

    def edges(self, pin):
        # The levels that this pin was driven to.
        return [levels[0] for levels in self.heard(b"edge", pin)]


def power_up():
    # A chip that has just got power, and its lab.
    link._file = Lab()
    machine.pins.clear()
    machine.levels.clear()
    machine.parts.clear()
    pwm.pwms.clear()
    return link._file
