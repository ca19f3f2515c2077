# rtc.py  The chip's clock, and the memory that a reset leaves alone: doorward_lab/rtc.py has the file behind it.
import time

import uctypes

import lab_parts

__all__ = ("RTC",)

_MOST = 2048
_LAYOUT = {"ahead": uctypes.INT64 | 0, "size": uctypes.UINT16 | 8}


class RTC:
    def __new__(cls, *args):
        return _only

    def datetime(self, when=None):
        # (year, month, day, weekday, hours, minutes, seconds, microseconds), in UTC
        if when is None:
            told = time.gmtime(int(time.time()) + _area.ahead)
            return told[:3] + (told[6],) + told[3:6] + (0,)
        year, month, day, _, hours, minutes, seconds, _ = when
        wanted = time.mktime((year, month, day, hours, minutes, seconds, 0, 0, 0))
        _area.ahead = wanted - int(time.time())
        return None

    def memory(self, data=None):
        if data is None:
            return bytes(_memory[: _area.size])
        if len(data) > _MOST:
            raise ValueError("buffer too long")
        _memory[: len(data)] = data
        _area.size = len(data)
        return None


# Made once: who has no heap left may still write.
_own = bytearray(0 if lab_parts.rtc_at else _MOST + 10)
_at = lab_parts.rtc_at or uctypes.addressof(_own)
_area = uctypes.struct(_at, _LAYOUT, uctypes.LITTLE_ENDIAN)
_memory = memoryview(uctypes.bytearray_at(_at + 10, _MOST))
_only = object.__new__(RTC)
