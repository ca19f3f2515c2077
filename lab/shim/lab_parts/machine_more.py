# machine_more.py  What few boards ask of machine; loaded on the first such question (see machine.__getattr__).
from errno import ENODEV
from time import sleep_ms

import machine
from lab_parts import link

_CLOCK = 80_000_000  # APB, which LEDC divides
_MOST_BITS = 14  # of a duty cycle, on all of our chips
_DEFAULT_HZ = 5000  # what a PWM runs at when nothing is said, with half of its time high
_HALF = 32768

pwms = {}  # pin -> PWM
uv = {}  # pin -> what is on it, in uV; absent: nothing is connected, and nothing is read


def soft_reset():
    link.restart(5)


def freq(hz=None):
    return 160_000_000


def idle():
    link.poll()


def lightsleep(ms=0):
    sleep_ms(ms)


def disable_irq():
    return 0


def enable_irq(state):
    pass


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


class ADC:
    # What can be told apart at each attenuation, in mV (ESP32 data sheet, 4.1.2).
    ATTN_0DB, ATTN_2_5DB, ATTN_6DB, ATTN_11DB = range(4)
    _RANGES = ((100, 950), (100, 1250), (150, 1750), (150, 2450))

    def __init__(self, pin, atten=ATTN_0DB):
        self._pin = pin.number
        self._range = self._RANGES[atten]

    def read_uv(self):
        link.poll()
        least, most = self._range
        return max(least * 1000, min(most * 1000, uv.get(self._pin, 0)))


class I2C:
    # One chip a bus; who is not there does not acknowledge its address.
    def __init__(self, id=0, *args, scl=None, sda=None, freq=400_000, timeout=50_000):
        self._chip = machine.buses.get("i2c%d" % id)

    def scan(self):
        return [self._chip.address] if self._chip and self._chip.present() else []

    def writeto(self, address, data, stop=True):
        self._find(address).wrote(data)
        return len(data)

    def readfrom_into(self, address, into, stop=True):
        self._find(address).read(into)

    def readfrom(self, address, count, stop=True):
        into = bytearray(count)
        self.readfrom_into(address, into)
        return bytes(into)

    def _find(self, address):
        link.poll()
        chip = self._chip
        if not chip or address != chip.address or not chip.present():
            raise OSError(ENODEV)
        return chip
