# pwm.py  machine.PWM, for a buzzer with a tone, a lamp or a servo. Apart from machine_more.py: who has one of
# these needs none of those.
import machine
from lab_parts import link

__all__ = ("PWM",)

_CLOCK = 80_000_000  # APB, which LEDC divides
_MOST_BITS = 14  # of a duty cycle, on all of our chips
_DEFAULT_HZ = 5000  # what a PWM runs at when nothing is said, with half of its time high
_HALF = 32768

pwms = {}  # pin -> PWM


class PWM:
    # LEDC: the higher the frequency, the fewer steps a duty cycle has. The lab is told what the pin
    # does, after rounding and inversion.
    def __new__(cls, pin, *args, **kwargs):
        made = pwms.get(pin.number)
        if made is None:
            pwms[pin.number] = made = super().__new__(cls)
            made._pin = pin.number
            made._hz = _DEFAULT_HZ
            made._duty = _HALF
            made._invert = False
        return made

    def __init__(self, pin, freq=None, duty_u16=None, duty_ns=None, duty=None, invert=None):
        if machine.input_only >> pin.number & 1:
            raise ValueError("pin can only be input")
        self._told = None
        self.init(freq, duty_u16, duty_ns, duty, invert)

    def init(self, freq=None, duty_u16=None, duty_ns=None, duty=None, invert=None):
        if freq is not None:
            self._hz = freq
        if invert is not None:
            self._invert = bool(invert)
        if duty_ns is not None:
            duty_u16 = duty_ns * self._hz * 65536 // 1_000_000_000
        elif duty is not None:
            duty_u16 = duty << 6
        if duty_u16 is not None:
            if not 0 <= duty_u16 <= 65536:
                raise ValueError("duty_u16 must be from 0 to 65536")
            self._duty = duty_u16
        self._tell()

    def deinit(self):
        pwms.pop(self._pin, None)
        link.send(b"pwm %d 0 0" % self._pin)

    def freq(self, hz=None):
        if hz is None:
            return self._hz
        self.init(freq=hz)
        return None

    def duty_u16(self, duty=None):
        if duty is None:
            return self._duty
        self.init(duty_u16=duty)
        return None

    def duty_ns(self, ns=None):
        if ns is None:
            return self._duty * 1_000_000_000 // (self._hz * 65536)
        self.init(duty_ns=ns)
        return None

    def high(self):
        # The share of its time that the pin is high, of 65536.
        bits = 0
        while bits < _MOST_BITS and self._hz << bits + 1 <= _CLOCK:
            bits += 1
        duty = self._duty >> 16 - bits << 16 - bits
        return 65536 - duty if self._invert else duty

    def pulse_us(self):
        return self.high() * 1_000_000 // (self._hz * 65536)

    def _tell(self):
        now = (self._hz, self.high())
        if now != self._told:
            self._told = now
            link.send(b"pwm %d %d %d" % (self._pin, self._hz, now[1]))
