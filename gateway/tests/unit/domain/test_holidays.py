"""Which days are holidays, and what schedules say of them: on the gateway as on a board."""

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from stage import CARDS
from stage.scene import RULES

from doorward.app.messages.timekeeping import offsets
from doorward.domain import ruling
from doorward.domain.doors import Door
from doorward.domain.holidays import Holiday, between, date_of, day_of, names_of, next_of
from doorward.domain.schedules import WEEKDAYS, Schedule, describe
from doorward.domain.snapshot import Rules, Snapshot
from doorward_core import timestamps
from doorward_core.schedule import ALWAYS, HOLIDAY, contains
from doorward_core.timestamps import local as local_time

BERLIN = ZoneInfo("Europe/Berlin")


def holiday(first: str, last: str | None = None, *, yearly: bool = False) -> Holiday:
    days = [day_of(date.fromisoformat(one)) for one in (first, last or first)]
    return Holiday(1, "Closed", days[0], days[1], yearly)


def is_holiday(one: Holiday, day: str) -> bool:
    return bool(names_of([one], day_of(date.fromisoformat(day))))


def test_days_are_counted_as_boards_count_them() -> None:
    assert day_of(date(2000, 1, 1)) == 0
    told = timestamps.local(int(datetime(2026, 12, 25, 12, tzinfo=UTC).timestamp()), 0)[0]
    assert day_of(date(2026, 12, 25)) == told
    assert date_of(told) == date(2026, 12, 25)


def test_a_day_is_one_day_and_a_range_has_both_its_ends() -> None:
    assert [is_holiday(holiday("2026-05-01"), f"2026-05-0{n}") for n in (1, 2)] == [True, False]
    assert not is_holiday(holiday("2026-05-01"), "2027-05-01")
    summer = holiday("2026-07-27", "2026-08-14")
    days = ("2026-07-26", "2026-07-27", "2026-08-14", "2026-08-15")
    assert [is_holiday(summer, day) for day in days] == [False, True, True, False]


def test_what_is_yearly_comes_in_every_year_and_over_new_year() -> None:
    christmas = holiday("2020-12-25", yearly=True)
    assert all(is_holiday(christmas, f"{year}-12-25") for year in (2004, 2020, 2026, 2050))
    assert not is_holiday(christmas, "2026-12-24")
    bridge = holiday("2026-12-24", "2027-01-02", yearly=True)
    for day, closed in (("01-02", True), ("01-03", False), ("12-23", False), ("12-24", True)):
        assert [is_holiday(bridge, f"{year}-{day}") for year in (2026, 2031)] == [closed, closed]


def test_a_leap_day_is_one_in_leap_years_alone() -> None:
    leap = holiday("2024-02-29", yearly=True)
    assert is_holiday(leap, "2028-02-29")
    assert not [day for day in ("2026-02-28", "2026-03-01") if is_holiday(leap, day)]
    winter = holiday("2024-02-26", "2024-02-29", yearly=True)
    assert is_holiday(winter, "2026-02-28")
    assert not is_holiday(winter, "2026-03-01")
    spring = holiday("2024-02-29", "2024-03-02", yearly=True)
    assert not is_holiday(spring, "2026-02-28")
    assert is_holiday(spring, "2026-03-01")


def test_the_next_time_is_told_and_none_when_it_is_over() -> None:
    today = day_of(date(2026, 11, 22))
    assert next_of(holiday("2026-11-21"), today) is None
    assert next_of(holiday("2026-11-20", "2026-11-22"), today) == (today - 2, today)
    leap = next_of(holiday("2024-02-29", yearly=True), today)
    assert leap is not None
    assert date_of(leap[0]) == date(2028, 2, 29)


spans = st.builds(
    lambda first, length, yearly: Holiday(1, "x", first, first + length, yearly),
    st.integers(9000, 11000),
    st.integers(0, 364),
    st.booleans(),
)


@given(st.lists(spans, max_size=6), st.integers(9400, 10600), st.integers(0, 40))
def test_what_a_board_is_told_is_every_holiday_and_no_other_day(
    holidays: list[Holiday], first: int, length: int
) -> None:
    told = between(holidays, first, first + length)
    assert list(told) == sorted(told)
    assert all(one[1] + 1 < two[0] for one, two in itertools.pairwise(told))
    for day in range(first, first + length + 1):
        assert any(a <= day <= b for a, b in told) == bool(names_of(holidays, day))


def test_schedules_with_windows_for_holidays_say_so() -> None:
    assert describe(((WEEKDAYS, 480, 1080), (HOLIDAY, 600, 720))) == (
        "Mon–Fri 08:00–18:00, holidays 10:00–12:00"
    )
    assert describe(((0xFF, 360, 1320),)) == "every day, holidays 06:00–22:00"
    assert describe(((0xFF, 0, 1440),)) == "always"


def snapshot(*holidays: Holiday) -> Snapshot:
    schedules = (Schedule(1, "Always", ALWAYS), Schedule(2, "Office", ((WEEKDAYS, 480, 1080),)))
    return Snapshot(
        Rules(
            RULES.people, RULES.credentials, RULES.doors, RULES.levels, schedules, tuple(holidays)
        )
    )


def test_why_names_the_holiday_where_the_schedule_has_a_say() -> None:
    front = Door("front", "Front door", "front")
    closed = snapshot(holiday("2026-12-25", yearly=True))
    noon = datetime(2026, 12, 25, 12, tzinfo=BERLIN)  # a Friday
    denied = ruling.rule(closed, CARDS["evening"], front, noon)
    assert not denied.granted
    assert denied.sentence == (
        "Jonas Weber may pass Front door Mon–Fri 08:00–18:00 only, "
        "and it was Fri 12:00, a holiday (Closed)."
    )
    assert ruling.rule(closed, CARDS["evening"], front, noon - timedelta(days=1)).granted
    assert ruling.rule(snapshot(), CARDS["evening"], front, noon).granted
    owner = ruling.rule(closed, CARDS["member"], front, noon)
    assert owner.granted
    assert "holiday" not in owner.sentence


def test_a_week_of_a_clock_change_and_a_holiday_is_the_same_at_the_board() -> None:
    """Every quarter of an hour, by the time zone database here and by the board's two offsets there."""
    front = Door("front", "Front door", "front")
    closed = snapshot(holiday("2026-10-23"))
    start = datetime(2026, 10, 18, 22, tzinfo=UTC)  # Monday 00:00 in Berlin
    offset, change, after = offsets(BERLIN, start)
    today = day_of(start.date())
    told = closed.holidays(today - 1, today + 31)
    opened = 0
    for quarter in range(7 * 96 + 4):
        at = start + timedelta(minutes=15 * quarter)
        utc = int(at.timestamp())
        day, minute = local_time(utc, after if utc >= change else offset)
        local = at.astimezone(BERLIN)
        assert (date_of(day), minute) == (local.date(), local.hour * 60 + local.minute)
        here = ruling.rule(closed, CARDS["evening"], front, local).granted
        there = contains(((WEEKDAYS, 480, 1080),), day, minute, told)
        wanted = local.weekday() < 5 and 8 <= local.hour < 18 and local.day != 23
        assert here is there is wanted, local
        opened += here
    assert opened == 4 * 40


def test_a_night_from_a_holiday_is_off_and_one_into_a_holiday_goes_on() -> None:
    rules = snapshot(holiday("2026-12-25")).rules
    nights = (Schedule(1, "Always", ALWAYS), Schedule(2, "Nights", ((0x7F, 1320, 360),)))
    known = Snapshot(replace(rules, schedules=nights))
    front = Door("front", "Front door", "front")
    for day, hour, granted in ((25, 2, True), (25, 23, False), (26, 2, False), (26, 23, True)):
        local = datetime(2026, 12, day, hour, tzinfo=BERLIN)
        assert ruling.rule(known, CARDS["evening"], front, local).granted is granted, local
