# The text on the wire back to UTC seconds since 1970: boards write it and never read it.

from doorward_core.compat import const
from doorward_core.timestamps import iso

_DAY = const(86400)


def parse(text: str) -> int:
    # The inverse of timestamps.iso(); raises ValueError for any other spelling, and for years outside
    # 2000 to 2199: who claims to live there has no clock, and calendars end sooner than integers.
    if not 2000 <= int(text[0:4]) < 2200:
        raise ValueError("time: need a year from 2000 to 2199")
    utc = _days(int(text[0:4]), int(text[5:7]), int(text[8:10])) * _DAY
    utc += int(text[11:13]) * 3600 + int(text[14:16]) * 60 + int(text[17:19])
    if iso(utc) != text:
        raise ValueError("time: need YYYY-MM-DDThh:mm:ssZ")
    return utc


def _days(year: int, month: int, day: int) -> int:
    if month <= 2:
        year -= 1
    era, of_era = divmod(year, 400)
    shifted = month - 3 if month > 2 else month + 9
    of_year = (153 * shifted + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468
