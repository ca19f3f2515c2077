# UTC seconds since 1970 to the text on the wire, and to a door's local minute. What reads that text
# is the gateway's: gateway_timestamps.
#
# A board counts from 2000 or 1970 depending on the port and has no datetime: this is the civil
# calendar by integer arithmetic (days_from_civil, H. Hinnant, "chrono-compatible date algorithms").

from doorward_core.compat import const

_DAY = const(86400)
_DAYS_1970_TO_2000 = const(10957)


def iso(utc: int) -> str:
    # 1795257000 -> "2026-11-21T10:30:00Z"
    days, second = divmod(utc, _DAY)
    year, month, day = _civil(days)
    minute, second = divmod(second, 60)
    hour, minute = divmod(minute, 60)
    return "%04d-%02d-%02dT%02d:%02d:%02dZ" % (year, month, day, hour, minute, second)


def local(utc: int, offset_minutes: int) -> "tuple[int, int]":
    # (day since 2000-01-01, minute of that day) at a place that is offset_minutes ahead of UTC.
    days, second = divmod(utc + offset_minutes * 60, _DAY)
    return days - _DAYS_1970_TO_2000, second // 60


def _civil(days: int) -> "tuple[int, int, int]":
    days += 719468
    era, of_era = divmod(days, 146097)
    year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * of_year + 2) // 153
    day = of_year - (153 * shifted + 2) // 5 + 1
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year + era * 400 + (1 if month <= 2 else 0), month, day
