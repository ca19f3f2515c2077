"""Weekly schedules, and how they read in a sentence."""

from dataclasses import dataclass

from doorward_core.schedule import EVERY_DAY, HOLIDAY, MINUTES_A_DAY, is_always

Windows = tuple[tuple[int, int, int], ...]

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WEEKDAYS = 0b0011111


@dataclass(frozen=True, slots=True)
class Schedule:
    """Named weekly windows (day mask, start, end) as `doorward_core.schedule` defines them."""

    id: int
    name: str
    windows: Windows


def describe(windows: Windows) -> str:
    """`Mon–Fri 17:00–22:00`, `always`, `never`."""
    if not windows:
        return "never"
    if is_always(windows):
        return "always"
    return ", ".join(
        f"{_days(mask)} {_minute(start)}–{_minute(end)}" for mask, start, end in windows
    )


def _days(mask: int) -> str:
    week = ["every day"] if mask & EVERY_DAY == EVERY_DAY else _runs(mask)
    return ", ".join([*week, "holidays"] if mask & HOLIDAY else week)


def _runs(mask: int) -> list[str]:
    runs: list[list[int]] = []
    for day in range(7):
        if not mask >> day & 1:
            continue
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return [DAYS[run[0]] if len(run) == 1 else f"{DAYS[run[0]]}–{DAYS[run[-1]]}" for run in runs]


def _minute(minute: int) -> str:
    hour, rest = divmod(minute if minute <= MINUTES_A_DAY else minute % MINUTES_A_DAY, 60)
    return f"{hour:02}:{rest:02}"
