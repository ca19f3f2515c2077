# A lamp on PWM: a level as the eye sees it, soft from one to the next, white from warm to cool.

from doorward_core.compat import const, ticks_diff

_FULL = const(65535)
# Levels inside are in hundredths of a percent: a fade has no steps that the eye sees.
_PERCENT = const(100)
_TOP = const(10000)
# The eye's own curve, near enough: half as bright is a fifth of the light (CIE 1976 L* by power).
_GAMMA = 2.2
# A channel whose part is below this is off: the other one is the colour then.
_TRACE = const(200)


class Lamp:
    # outputs: function(duty of 65535) for the one channel, or for warm and cool. least: the duty
    # at which the lamp can just be seen. warm_k, cool_k: of the two channels, in K.
    def __init__(self, outputs, least, warm_k=0, cool_k=0):
        self._outputs = outputs
        self._least = least
        self._warm_k = warm_k
        self._cool_k = cool_k
        self._level = self._from = self._to = 0
        self._kelvin = self._kelvin_from = self._kelvin_to = warm_k
        self._began = self._fade_ms = 0
        self.moving = False
        self._show()

    def set(self, percent, now, fade_ms=0, kelvin=None):
        # percent: 0 (off) to 100. kelvin: None leaves it; beyond the channels it is theirs.
        self._from = self._level
        self._to = min(max(int(percent * _PERCENT), 0), _TOP)
        self._kelvin_from = self._kelvin
        if kelvin is not None:
            self._kelvin_to = min(max(int(kelvin), self._warm_k), self._cool_k)
        if not self._level:
            self._kelvin_from = self._kelvin_to  # what was dark comes up in its own colour
        self._began = now
        self._fade_ms = fade_ms
        self.moving = True
        self.tick(now)

    def percent(self):
        # What it is set to; a fade may still be on its way there.
        return self._to / _PERCENT

    def kelvin(self):
        return self._kelvin_to

    def tick(self, now):
        # To be called at a steady pace while it is `moving`.
        if not self.moving:
            return
        gone = ticks_diff(now, self._began)
        if gone >= self._fade_ms:
            self.moving = False
            self._level, self._kelvin = self._to, self._kelvin_to
        else:
            self._level = self._from + (self._to - self._from) * gone // self._fade_ms
            change = self._kelvin_to - self._kelvin_from
            self._kelvin = self._kelvin_from + change * gone // self._fade_ms
        self._show()

    def _show(self):
        light = (self._level / _TOP) ** _GAMMA
        if len(self._outputs) == 1:
            self._outputs[0](self._duty(light, _TOP))
        else:
            cool = cool_part(self._kelvin, self._warm_k, self._cool_k)
            self._outputs[0](self._duty(light, _TOP - cool))
            self._outputs[1](self._duty(light, cool))

    def _duty(self, light, part):
        # part: of this channel, of _TOP.
        if not self._level or part < _TRACE:
            return 0
        return self._least + int((_FULL - self._least) * light * part / _TOP)


def cool_part(kelvin, warm_k, cool_k):
    # The cool channel's part of the light, of 10000. Colour mixes evenly in mired (1e6 / K), not
    # in K: half and half of 2700 and 6500 is 3800.
    warm = 1000000 // warm_k
    return _TOP * (warm - 1000000 // kelvin) // (warm - 1000000 // cool_k)


def make(settings):
    # settings: pin, or warm and cool with warm_k and cool_k; active; hz; least (see Lamp).
    from machine import PWM, Pin

    names = ("pin",) if "pin" in settings else ("warm", "cool")
    invert = not settings["active"]
    # One frequency, so that both channels share a timer and stay in phase; and with a duty of
    # nothing from the start, for a PWM that is told none runs at half.
    outputs = [
        PWM(Pin(settings[name]), freq=settings["hz"], duty_u16=0, invert=invert).duty_u16
        for name in names
    ]
    return Lamp(outputs, settings["least"], settings.get("warm_k", 0), settings.get("cool_k", 0))
