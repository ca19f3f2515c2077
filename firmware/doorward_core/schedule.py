# Weekly windows: on which days and between which minutes something holds.
#
# A window is (day_mask, start, end): bit 0 of day_mask is Monday, bit 7 a holiday; start and end are
# local minutes after midnight, end up to 1440 and not itself in the window. end <= start runs past
# midnight and belongs to the day on which it starts. A holiday is no day of the week: on it only the
# windows for holidays hold, and what holds always.

from doorward_core.compat import const

MINUTES_A_DAY = const(1440)
EVERY_DAY = const(0x7F)
HOLIDAY = const(0x80)
ALWAYS = ((EVERY_DAY, 0, MINUTES_A_DAY),)

# 2000-01-01, day 0 of every day number here, was a Saturday.
_FIRST_WEEKDAY = const(5)


def weekday(day: int) -> int:
    # 0 = Monday ... 6 = Sunday, for days since 2000-01-01.
    return (day + _FIRST_WEEKDAY) % 7


def day_bit(day: int, holidays: "tuple[tuple[int, int], ...]") -> int:
    # The bit of a day_mask that is for this day. holidays: (first day, last day) each.
    for first, last in holidays:
        if first <= day <= last:
            return HOLIDAY
    return 1 << weekday(day)


def contains(
    windows: "tuple[tuple[int, int, int], ...]",
    day: int,
    minute: int,
    holidays: "tuple[tuple[int, int], ...]" = (),
) -> bool:
    # True if local minute (0..1439) of day (days since 2000-01-01) lies in one of the windows.
    today = day_bit(day, holidays)
    yesterday = day_bit(day - 1, holidays)
    for mask, start, end in windows:
        if start < end:
            if mask & today and start <= minute < end:
                return True
        elif (mask & today and minute >= start) or (mask & yesterday and minute < end):
            return True
    return False


def is_always(windows: "tuple[tuple[int, int, int], ...]") -> bool:
    # True if some window holds at every minute, on holidays too, so that no clock is needed.
    for mask, start, end in windows:
        if mask & EVERY_DAY == EVERY_DAY and start == 0 and end == MINUTES_A_DAY:
            return True
    return False
