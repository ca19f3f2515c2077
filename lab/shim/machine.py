# machine.py  The ESP32's machine module on a laptop; extends the unix port's own (which has PinBase, Signal, mem8 …).
import sys

_path = sys.path
sys.path = ()
try:
    from machine import *
    from machine import PinBase
finally:
    sys.path = _path
    del _path

from micropython import const
from time import sleep_ms, ticks_diff, ticks_ms

from lab_parts import link, wiring

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5

_cause = PWRON_RESET
_unique_id = b"\x00\x00\x00\x00\x00\x00"

# GPIOs that an ESP32 brings out, and those that can only be read (ESP32 technical reference, IO_MUX).
_PINS = const(0xFF_0EEF_FFFF)
_INPUT_ONLY = const(0xFC_0000_0000)


def unique_id():
    return _unique_id


def reset_cause():
    return _cause


def _restart(cause):
    link.flush_seen()
    link.send(b"reset %d" % cause)
    link.halt()


def reset():
    _restart(HARD_RESET)


def soft_reset():
    _restart(SOFT_RESET)


def freq(hz=None):
    return 160_000_000 if hz is None else None


def lightsleep(ms=0):
    sleep_ms(ms)


def disable_irq():
    return 0


def enable_irq(state):
    pass


class Pin(PinBase):
    IN = 1
    OUT = 3
    OPEN_DRAIN = 7
    PULL_DOWN = 1
    PULL_UP = 2
    IRQ_RISING = 1
    IRQ_FALLING = 2
    DRIVE_0 = 0
    DRIVE_1 = 1
    DRIVE_2 = 2
    DRIVE_3 = 3

    _all = {}

    def __new__(cls, id, *args, **kwargs):
        pin = cls._all.get(id)
        if pin is None:
            if not isinstance(id, int) or id < 0 or not _PINS >> id & 1:
                raise ValueError("invalid pin")
            pin = super().__new__(cls)
            pin._id = id
            pin._mode = pin._level = 0  # after reset: not driven, output latch low
            pin._pull = pin._handler = pin._trigger = None
            cls._all[id] = pin
        return pin

    def __init__(self, id, mode=-1, pull=-1, *, value=None, drive=None, hold=None):
        self.init(mode, pull, value=value)

    def init(self, mode=-1, pull=-1, *, value=None, drive=None, hold=None):
        # As on the chip: the level goes into the latch before the pin begins to drive.
        if pull != -1:
            self._pull = pull
        if mode == -1 or mode is None:
            if value is not None:
                self.value(value)
            return
        if mode & 2 and _INPUT_ONLY >> self._id & 1:
            raise ValueError("pin can only be input")
        was = self._mode
        if value is not None:
            if was & 2:
                self.value(value)
            else:
                self._level = 1 if value else 0
        self._mode = mode
        if mode & 2 and not was & 2:
            self._drive(self._level)
        elif was & 2 and not mode & 2:
            self._drive(-1)

    def value(self, level=None):
        if level is None:
            return self._level if self._mode & 2 else self._sense()
        level = 1 if level else 0
        if level != self._level:
            self._level = level
            if self._mode & 2:
                self._drive(level)

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)

    def toggle(self):
        self.value(not self._level)

    def irq(self, handler=None, trigger=3, wake=None, hard=False):
        # Runs when a line of the lab is read, that is at the firmware's next touch of the chip.
        self._handler = handler
        self._trigger = trigger
        wiring.inputs_changed = _input_changed
        return self

    def _sense(self):
        link.poll()
        level = wiring.levels.get(self._id)
        if level is None:
            return 1 if self._pull == self.PULL_UP else 0
        return level

    def _drive(self, level):
        part = wiring.parts.get(self._id)
        if part is None:
            link.edge(self._id, level)
        elif level >= 0:
            part(level)

    def __repr__(self):
        return "Pin(%d)" % self._id


def _input_changed(id, level):
    pin = Pin._all.get(id)
    if pin is not None and pin._handler and pin._trigger & (1 if level else 2):
        pin._handler(pin)


class SPI:
    MSB = 0
    LSB = 1

    def __init__(self, id=1, baudrate=500_000, polarity=0, phase=0, bits=8, firstbit=0, sck=None, mosi=None, miso=None):
        self._chip = wiring.spi.get(id)

    def init(self, baudrate=0, **kwargs):
        pass

    def deinit(self):
        pass

    def write_readinto(self, write_buf, read_buf):
        if len(write_buf) != len(read_buf):
            raise ValueError("buffers must be the same length")
        if self._chip:
            self._chip.transfer(write_buf, read_buf)
        else:
            for i in range(len(read_buf)):
                read_buf[i] = 0

    def write(self, buf):
        if self._chip:
            self._chip.transfer(buf, None)

    def readinto(self, buf, write=0):
        for i in range(len(buf)):
            buf[i] = write
        self.write_readinto(buf, buf)

    def read(self, nbytes, write=0):
        buf = bytearray(nbytes)
        self.readinto(buf, write)
        return bytes(buf)


class WDT:
    # The lab holds the deadline, so it bites in `while True: pass` too. Feeds are told at most eight times a period;
    # the lab grants that eighth on top.
    def __init__(self, id=0, timeout=5000):
        self._told = ticks_ms()
        self._every = timeout // 8
        link.send(b"wdt %d" % timeout)

    def feed(self):
        link.poll()
        now = ticks_ms()
        if ticks_diff(now, self._told) >= self._every:
            self._told = now
            link.send(b"fed")
