# A buzzer: one that sounds by itself while it has current, or one that is given its tone.

from doorward_core.compat import const
from doorward_drivers.pattern import Player

_HALF = const(32768)


def make(settings):
    # settings: pin and active; or pin and hz (the tone of most letters; h is an octave above, l
    # one below).
    from machine import Pin

    if "hz" not in settings:
        active = settings["active"]
        pin = Pin(settings["pin"], Pin.OUT, value=1 - active)
        return Player(lambda what: pin(active if what else 1 - active))
    from machine import PWM

    hz = settings["hz"]
    # With a duty of nothing from the start: a PWM that is told no duty sounds at once.
    pwm = PWM(Pin(settings["pin"]), freq=hz, duty_u16=0)

    def sound(what):
        if what:
            pwm.freq(hz * 2 if "h" in what else hz // 2 if "l" in what else hz)
        pwm.duty_u16(_HALF if what else 0)

    return Player(sound)
