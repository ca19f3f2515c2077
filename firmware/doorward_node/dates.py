# The date by which certificates are judged. Loaded when it is needed, and forgotten.
#
# An ESP32 starts in the year 2000 whenever it gets power. The site's own certificates are valid from
# 1999 on, so a board can always verify them; but in 2000 none is ever over, and those of a foreign
# authority have not begun. So the chip's clock starts at the latest date that the board knows.
#
# A gateway whose clock is wrong must not lock its boards out: a date counts once the gateway has
# told the same time for a day, and goes forward by so much at a time. It never goes back.

from doorward_core import timestamps
from doorward_core.compat import const
from doorward_node import files
from machine import RTC

_STEP_S = const(34560000)  # 400 days
# Flash is written once in so many seconds at the most.
_APART_S = const(43200)


def begin(path: str, floor: int) -> None:
    # floor: when the board was adopted, as Unix seconds; 0 for one that does not know.
    known = _read(path)
    if known < floor:
        known = floor
        _write(path, floor)
    _forward(known)


def keep(path: str, utc: int) -> None:
    # utc: the gateway's time, once it has been steady for a day.
    known = _read(path)
    if utc < known + _APART_S:
        return
    if known:
        utc = min(utc, known + _STEP_S)
    _write(path, utc)
    _forward(utc)


def _read(path: str) -> int:
    try:
        return int(files.read(path) or b"0")
    except ValueError:
        return 0


def _write(path: str, utc: int) -> None:
    try:
        files.replace(path, str(utc).encode())
    except OSError:
        pass  # tried again with the next answer


def _forward(utc: int) -> None:
    # Sets the chip's clock, unless it is ahead already: it runs on through a reset.
    words = timestamps.iso(utc)
    date = tuple([int(part) for part in words[:10].split("-")])
    time = tuple([int(part) for part in words[11:19].split(":")])
    now = RTC().datetime()
    if date + time > now[:3] + now[4:7]:
        RTC().datetime(date + (0,) + time + (0,))
