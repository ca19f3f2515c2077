# A solenoid that pulls a bolt against its spring, for as long as one pulse. Its coil is made for
# pulses and burns when it is left on, so the pulse has a cap of its own.

from doorward_core.compat import const
from doorward_drivers.strike import Strike

_LONGEST_MS = const(3000)


class Solenoid(Strike):
    # pin: an output at its safe level; active: the level that pulls; move_ms: the pulse.
    springs = True

    def __init__(self, pin, active, move_ms):
        self.move_ms = min(move_ms, _LONGEST_MS)
        super().__init__(pin, active, self.move_ms * 2)

    def unlock(self):
        self.energise()

    def lock(self):
        self.de_energise()


def make(settings):
    # settings: pin, active, pulse_ms (3000 at the most).
    from machine import Pin

    active = settings["active"]
    pin = Pin(settings["pin"], Pin.OUT, value=1 - active)
    return Solenoid(pin, active, settings["pulse_ms"])
