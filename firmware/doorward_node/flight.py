# The flight recorder: what happened last, 200 times six bytes in RAM, told after a crash.
#
# Each note is a code, the ticks (64 ms, 24 bits) and a value. Words would be heap: the gateway has
# them (doorward/domain/flight.py), and knows a log event or a topic again by the sum of its letters.
#
#   1 the board starts (reset cause)     7 the link is up
#   2 it fails                           8 the reader has lost its settings
#   4 a stall (ms)                      10 a sealed message is taken (topic)
#   5 Wi-Fi (status)                    11 heap was short and collected (KiB free)
#   6 the link is down (errno)          16 an event for the log (its type)
#
# What repeats takes no more room. begin() comes first; before it nothing is kept. The whole is also
# put where a reset does not reach, so that a board that hangs tells of it, too.

import struct

from doorward_core.compat import const

_HEAD = const(4)
_SIZE = const(6)
_COUNT = const(200)

# "dw", where the next note goes, for how many minutes the board has been up (255: or longer).
buffer = bytearray(b"dw\0\0") + bytearray(_SIZE * _COUNT)
_ticks = _keep = None


def begin(ticks, keep) -> None:
    # ticks(): the present ones, in ms. keep(bytes): puts them where a reset does not reach.
    global _ticks, _keep
    _ticks, _keep = ticks, keep


def note(code: int, value: "int | str" = 0) -> None:
    # A text stands for the sum of its letters.
    if not _ticks:
        return
    if isinstance(value, str):
        value = sum(value.encode())
    value &= 0xFFFF
    at = buffer[2]
    place = _HEAD + (at - 1) % _COUNT * _SIZE
    if buffer[place] != code or buffer[place + 4] | buffer[place + 5] << 8 != value:
        place = _HEAD + at * _SIZE
        buffer[2] = (at + 1) % _COUNT
    time = _ticks() >> 6
    struct.pack_into("<BBHH", buffer, place, code, time >> 16 & 0xFF, time & 0xFFFF, value)
    if _keep:
        _keep(buffer)


def lived(uptime: int) -> None:
    # uptime: in seconds. Tells a board that fails again and again from one that failed once.
    minutes = min(uptime // 60, 255)
    if buffer[3] != minutes:
        buffer[3] = minutes
        if _keep:
            _keep(buffer)
