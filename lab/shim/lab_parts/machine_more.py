# machine_more.py  What few boards ask of machine; loaded on the first such question (see machine.__getattr__).
from errno import ENODEV
from time import sleep_ms

import machine
from lab_parts import link

__all__ = ("ADC", "I2C")

PWRON_RESET = 1
HARD_RESET = 2
DEEPSLEEP_RESET = 4
SOFT_RESET = 5

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
