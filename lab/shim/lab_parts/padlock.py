# padlock.py  A vault's bolt: where a servo's pulses or a solenoid's current have moved it, and the switch that
# it presses.
#
# It moves at its own speed and is looked at when the switch is read. Places: from 0, locked, to 1000, unlocked.
from time import ticks_diff, ticks_ms

from micropython import const

import machine
from lab_parts import link, pwm

_UNLOCKED = const(1000)
_PER_MS = const(5)  # from end to end in 0.2 s
_SWITCH_AT = const(300)  # up to here the switch is pressed


class Padlock:
    def __init__(self, wiring):
        # wiring: pins.padlock of config.json.
        self._wiring = wiring
        self._jammed = False
        self.place = 0
        self._looked = ticks_ms()
        switch = wiring.get("switch")
        if switch:
            self._pressed = switch["locked"]
            machine.levels[switch["pin"]] = self._switch

    def told(self, words):
        # jam 0|1: whether something keeps the bolt where it is
        self._move()
        self._jammed = words[1] == b"1"

    def _switch(self):
        self._move()
        return self._pressed if self.place <= _SWITCH_AT else 1 - self._pressed

    def _move(self):
        now = ticks_ms()
        step = ticks_diff(now, self._looked) * _PER_MS
        self._looked = now
        aim = self._aim()
        if aim is None or self._jammed:
            return
        self.place = (
            min(self.place + step, aim) if aim > self.place else max(self.place - step, aim)
        )

    def _aim(self):
        # Where it is being moved to; None while nothing moves it.
        wiring = self._wiring
        if wiring["driver"] == "solenoid":
            pin = machine.pins.get(wiring["pin"])
            return _UNLOCKED if pin and pin.drives(wiring["active"]) else 0
        driven = pwm.pwms.get(wiring["pin"])
        pulse = driven.pulse_us() if driven else 0
        if pulse < 400:  # no servo takes so short a pulse for one
            return None
        return (
            (pulse - wiring["locked_us"])
            * _UNLOCKED
            // (wiring["unlocked_us"] - wiring["locked_us"])
        )


def solder(wiring):
    # wiring: pins.padlock of config.json.
    link.handlers[b"jam"] = Padlock(wiring).told
