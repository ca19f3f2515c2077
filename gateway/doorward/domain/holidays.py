"""Days on which schedules are off but for their windows for holidays. Days are since 2000-01-01."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

Days = tuple[tuple[int, int], ...]

YEARS = range(2000, 2100)
"""What the two bytes of a day on a board are sure to name."""

_DAY_ZERO = date(2000, 1, 1).toordinal()


def day_of(day: date) -> int:
    """A date as days since 2000-01-01."""
    return day.toordinal() - _DAY_ZERO


def date_of(day: int) -> date:
    """The date that is so many days after 2000-01-01."""
    return date.fromordinal(day + _DAY_ZERO)


@dataclass(frozen=True, slots=True)
class Holiday:
    """A day, or all from first to last. yearly: again in each year, whatever year these are in."""

    id: int
    name: str
    first: int
    last: int
    yearly: bool = False

    def between(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Every time that it touches first to last, as it is: (first day, last day)."""
        if not self.yearly:
            times = [(self.first, self.last)]
        else:
            years = range(date_of(first).year - 1, date_of(last).year + 1)
            times = [self._in(year) for year in years]
        for begins, ends in times:
            if begins <= ends and begins <= last and ends >= first:
                yield begins, ends

    def _in(self, year: int) -> tuple[int, int]:
        """The time that begins in this year. Nothing begins or ends on a day that the year does not have."""
        begins, ends = date_of(self.first), date_of(self.last)
        over = ends.year - begins.year
        return _from(year, begins), _until(year + over, ends)


def between(holidays: Iterable[Holiday], first: int, last: int) -> Days:
    """All that touch first to last, in order; those that touch each other are one."""
    merged: list[tuple[int, int]] = []
    for begins, ends in sorted(
        days for holiday in holidays for days in holiday.between(first, last)
    ):
        if merged and begins <= merged[-1][1] + 1:
            merged[-1] = merged[-1][0], max(merged[-1][1], ends)
        else:
            merged.append((begins, ends))
    return tuple(merged)


def names_of(holidays: Iterable[Holiday], day: int) -> tuple[str, ...]:
    """What people call this day; nothing if it is one like others."""
    return tuple(sorted(one.name for one in holidays if any(one.between(day, day))))


def _from(year: int, day: date) -> int:
    try:
        return day_of(day.replace(year=year))
    except ValueError:  # 29 February
        return day_of(date(year, 3, 1))


def _until(year: int, day: date) -> int:
    try:
        return day_of(day.replace(year=year))
    except ValueError:
        return day_of(date(year, 2, 28))


def next_of(holiday: Holiday, today: int) -> tuple[int, int] | None:
    """The present or next time, None when it is over for good."""
    horizon = day_of(date_of(today) + timedelta(days=4 * 366)) if holiday.yearly else holiday.last
    return next(holiday.between(today, max(today, horizon)), None)
