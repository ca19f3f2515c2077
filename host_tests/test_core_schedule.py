# Weekly windows and the calendar under them, minute by minute. Both interpreters.

from support import raises

from doorward_core import gateway_timestamps, timestamps
from doorward_core.schedule import ALWAYS, contains, is_always, weekday

NIGHT = ((0x10, 22 * 60, 6 * 60),)  # Friday 22:00 to Saturday 06:00


def test_weekdays_start_on_monday():
    assert weekday(0) == 5  # 2000-01-01 was a Saturday
    day, minute = timestamps.local(gateway_timestamps.parse("2026-11-21T10:30:00Z"), 60)
    assert (weekday(day), minute) == (5, 690)


def test_a_window_over_midnight_belongs_to_the_day_it_starts_on():
    friday = 6  # 2000-01-07
    assert weekday(friday) == 4
    for day, minute, inside in (
        (friday, 21 * 60 + 59, False),
        (friday, 22 * 60, True),
        (friday + 1, 5 * 60 + 59, True),
        (friday + 1, 6 * 60, False),
        (friday, 5 * 60, False),
        (friday + 1, 23 * 60, False),
    ):
        assert contains(NIGHT, day, minute) is inside


def test_a_whole_week_equals_a_truth_table():
    windows = ((0x1F, 480, 1080), (0x20, 600, 720), (0x40, 1380, 60))
    for day in range(7):
        today = weekday(day)
        for minute in range(1440):
            expected = (
                (today < 5 and 480 <= minute < 1080)
                or (today == 5 and 600 <= minute < 720)
                or (today == 6 and minute >= 1380)
                or (today == 0 and minute < 60)
            )
            assert contains(windows, day, minute) is expected


def test_any_window_will_do():
    windows = ((0x7F, 0, 60), (0x7F, 30, 90))
    assert [contains(windows, 0, minute) for minute in (10, 40, 70, 90)] == [
        True,
        True,
        True,
        False,
    ]


def test_always_is_always():
    assert is_always(ALWAYS)
    assert not is_always(((0x7F, 0, 1439),))
    assert not is_always(((0x3F, 0, 1440),))
    assert not is_always(())


def test_times_are_written_and_read_the_same():
    for text, utc in (
        ("2000-02-29T23:59:59Z", 951868799),
        ("2026-11-21T10:30:00Z", 1795257000),
        ("2100-03-01T00:00:00Z", 4107542400),
    ):
        assert timestamps.iso(utc) == text
        assert gateway_timestamps.parse(text) == utc


def test_a_board_without_a_clock_still_writes_times():
    assert timestamps.iso(0) == "1970-01-01T00:00:00Z"


def test_a_time_that_does_not_exist_is_refused():
    for text in (
        "0000-01-01T00:00:00Z",
        "1999-12-31T23:59:59Z",
        "2026-02-29T00:00:00Z",
        "2026-11-21 10:30:00Z",
        "2026-11-21T24:00:00Z",
        "x",
    ):
        raises(ValueError, gateway_timestamps.parse, text)
