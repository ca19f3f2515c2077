# wrapping.py  The ESP32's ticks on a laptop, whose own wrap after years: 30 bits of them (ports/esp32, mpconfigport.h).
#
# install() is for after asyncio has been loaded: its queue of tasks is in C, and keeps the port's own ticks.
import sys
import time as _own
from time import *  # noqa: F403 - everything else is the port's own

_MASK = (1 << 30) - 1
_HALF = 1 << 29
_offset = 0


def install(start):
    # From here on whoever imports time gets these; ticks_ms() is start now.
    global _offset
    _offset = start - _own.ticks_ms()
    sys.modules["time"] = sys.modules[__name__]


def ticks_ms():
    return _own.ticks_ms() + _offset & _MASK


def ticks_us():
    return _own.ticks_us() + _offset & _MASK


def ticks_add(ticks, delta):
    return ticks + delta & _MASK


def ticks_diff(later, earlier):
    return (later - earlier + _HALF & _MASK) - _HALF
