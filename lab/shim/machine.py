# machine.py  The ESP32's machine module on a laptop; extends the unix port's own.
#
# Only what every board uses is here: this module lives on the firmware's heap. The rest is in lab_parts, by its own
# name in small letters or in machine_more.py, and is loaded when it is asked for.
import sys

_found = sys.path
sys.path = ()
try:
    from machine import PinBase, Signal, time_pulse_us  # noqa: F401 - what else firmware may ask for
finally:
    sys.path = _found
    del _found

from time import ticks_diff, ticks_ms

from micropython import const, heap_lock, heap_unlock

from lab_parts import link

# With these and their arguments as a chip has them: all else is shortened (doorward_lab/build.py).
__all__ = ("SPI", "WDT", "Pin")

WDT_RESET = 3
_HARD_RESET = const(2)

cause = 1
identity = b""
levels = {}  # input pin -> level that the world puts on it, or a function that tells it; absent: nothing is connected
parts = {}  # output pin -> function(level) of a chip that listens; absent: the lab watches it
buses = {}  # SPI id -> chip
air = [
    1010,
    None,
    None,
]  # what comes of an attempt to connect to Wi-Fi (network.py); the network's name and key, None: any
pins = {}

# GPIOs that an ESP32 brings out, and those that can only be read (technical reference, IO_MUX);
# power_on.py puts another chip's here.
existing = 0xFF_0EEF_FFFF
input_only = 0xFC_0000_0000


def __getattr__(name):
    try:
        part = __import__("lab_parts." + name.lower(), None, None, (name,))
    except ImportError:
        from lab_parts import machine_more as part
    return getattr(part, name)


def unique_id():
    return identity


def reset_cause():
    return cause


def reset():
    link.restart(_HARD_RESET)


class Pin(PinBase):
    IN = 1
    OUT = 3
    OPEN_DRAIN = 7
    PULL_DOWN = 1
    PULL_UP = 2
    IRQ_RISING = 1
    IRQ_FALLING = 2

    # After reset: not driven, output latch low, no pull, no handler.
    _mode = _level = _pull = 0
    handler = None

    def __new__(cls, id, *args, **kwargs):
        pin = pins.get(id)
        if pin is None:
            if not isinstance(id, int) or id < 0 or not existing >> id & 1:
                raise ValueError("invalid pin")
            pins[id] = pin = super().__new__(cls)
            pin.number = id
            pin._level = 0  # here: a handler that sets it finds no room for a new attribute
        return pin

    def __init__(self, id, *args, **kwargs):
        self.init(*args, **kwargs)

    def init(self, mode=None, pull=-1, value=None, drive=None, hold=None):
        if pull != -1:
            self._pull = pull
        if mode is None or mode == -1:
            mode = self._mode
        if mode & 2 and input_only >> self.number & 1:
            raise ValueError("pin can only be input")
        # As on the chip, the level is in the latch before the pin begins to drive.
        if value is not None:
            self.value(value)
        was = self._mode
        if mode != was:
            self._mode = mode
            if (mode ^ was) & 2:
                self._drive(self._level if mode & 2 else -1)

    def value(self, level=None):
        if level is None:
            if self._mode & 2:
                return self._level
            link.poll()
            level = levels.get(self.number, 1 if self._pull == 2 else 0)
            return level() if callable(level) else level
        level = 1 if level else 0
        if level != self._level:
            self._level = level
            if self._mode & 2:
                self._drive(level)
        return None

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)

    def irq(self, handler=None, trigger=3, **kwargs):
        # The handler runs when the lab's line is read: at the firmware's next touch of the chip.
        self.handler = handler
        self.trigger = trigger

    def drives(self, level):
        # For a part that is wired to it: whether the pin puts this level on the wire.
        return bool(self._mode & 2) and self._level == level and not (level and self._mode & 4)

    def change(self, level):
        # The world changes this input. The handler runs as a hard one does: it finds the heap locked,
        # so that one which allocates fails here and not after a month on a wall.
        changed = levels.get(self.number) != level
        levels[self.number] = level
        if not changed or not self.handler or not self.trigger & (1 if level else 2):
            return
        link.in_handler = True
        heap_lock()
        try:
            self.handler(self)
        finally:
            heap_unlock()
            link.in_handler = False

    def _drive(self, level):
        part = parts.get(self.number)
        if link.in_handler:
            heap_unlock()  # what the world does with the pin is not the handler's doing
        if part is None:
            link.edge(self.number, level)
        elif level >= 0:
            part(level)
        if link.in_handler:
            heap_lock()


class SPI:
    MSB = 0
    LSB = 1

    def __init__(self, id=1, *args, firstbit=0, **kwargs):
        self._id = id
        chip = buses.get(id)
        if chip:
            chip.firstbit = firstbit

    def init(self, *args, **kwargs):
        pass  # its pins are the profile's, always

    deinit = init

    def write_readinto(self, out, into):
        if len(out) != len(into):
            raise ValueError("buffers must be the same length")
        chip = buses.get(self._id)  # looked up each time: faults.py changes it
        if chip:
            chip.transfer(out, into)
        else:
            for i in range(len(into)):
                into[i] = 0

    def write(self, out):
        chip = buses.get(self._id)
        if chip:
            chip.transfer(out, None)

    def readinto(self, into, write=0):
        self.write_readinto(bytes((write,)) * len(into), into)

    def read(self, count, write=0):
        into = bytearray(count)
        self.readinto(into, write)
        return bytes(into)


class WDT:
    # The lab holds the deadline, so that it bites in `while True: pass` too. Feeds are told at most
    # eight times a period; the lab grants that eighth on top.
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
