# A servo that turns a bolt. It holds no force when it has arrived: it would hum, heat and wear.

from doorward_core.compat import const
from doorward_drivers.strike import Strike

_HZ = const(50)


class Servo(Strike):
    # pwm: at 50 Hz; the pulses in us of the two positions; move_ms: how long it turns from one to
    # the other. A Strike whose level is a pulse: so it has the same cap and the same watchers.
    springs = False

    def __init__(self, pwm, locked_us, unlocked_us, move_ms):
        self._pwm = pwm
        self._locked_us = locked_us
        self._unlocked_us = unlocked_us
        self.move_ms = move_ms
        super().__init__(self._pulse, locked_us, move_ms * 2)
        self._safe = 0
        self._pulse(0)

    def lock(self):
        self._turn(self._locked_us)

    def unlock(self):
        self._turn(self._unlocked_us)

    def _turn(self, us):
        self.de_energise()
        self.active = us
        self.energise()

    def _pulse(self, us):
        self._pwm.duty_ns(us * 1000)


def make(settings):
    # settings: pin, locked_us, unlocked_us (500 to 2500), move_ms.
    from machine import PWM, Pin

    pwm = PWM(Pin(settings["pin"]), freq=_HZ, duty_u16=0)
    return Servo(pwm, settings["locked_us"], settings["unlocked_us"], settings["move_ms"])
