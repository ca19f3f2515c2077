# Time from the gateway, across wrapping ticks.

from doorward_core.compat import ticks_add
from doorward_node.clock import Clock

START = (1 << 30) - 5000
UTC = 1795257000  # 2026-11-21T10:30:00Z, a Saturday


def test_before_the_gateway_has_told_only_uptime_counts():
    clock = Clock(START)
    later = ticks_add(START, 61500)
    assert clock.utc(later) is None and clock.local(later) == (None, None)
    assert clock.uptime(later) == 61
    assert clock.stamp(later) == ("1970-01-01T00:01:01Z", "free")


def test_the_gateways_time_is_carried_on_over_the_wrap():
    clock = Clock(START)
    assert clock.set((UTC, 60, 0, 0), 1999, START)
    now = START
    for _ in range(30):  # a month, asked once a day
        now = ticks_add(now, 86400000)
        clock.utc(now)
    assert clock.stamp(now) == ("2026-12-21T10:30:00Z", "gateway")


def test_an_answer_that_took_two_seconds_is_not_used():
    clock = Clock(START)
    assert not clock.set((UTC, 60, 0, 0), 2000, START)
    assert clock.utc(START) is None


def test_an_answer_from_before_it_was_asked_for_is_not_used():
    # What a round trip of more than six days looks like in ticks.
    assert not Clock(START).set((UTC, 60, 0, 0), -1, START)


def test_local_time_changes_when_the_gateway_said_it_would():
    clock = Clock(START)
    clock.set((UTC, 60, UTC + 3600, 120), 10, START)
    day = 9821  # 2026-11-21 since 2000-01-01
    assert clock.local(START) == (day, 11 * 60 + 30)
    assert clock.local(ticks_add(START, 3599000)) == (day, 12 * 60 + 29)
    assert clock.local(ticks_add(START, 3600000)) == (day, 13 * 60 + 30)


def test_uptime_asked_every_day_counts_on_over_the_wrap():
    clock, now = Clock(START), START
    for _ in range(30):
        now = ticks_add(now, 86400000)
        clock.uptime(now)
    assert clock.uptime(now) == 30 * 86400


def test_a_clock_is_steady_since_it_last_told_another_time():
    clock, now = Clock(START), START
    for hour in range(30):
        assert clock.set((UTC + hour * 3600, 60, 0, 0), 10, now)
        assert clock.steady() == hour * 3600
        now = ticks_add(now, 3600000)
    clock.set((UTC + 30 * 3600 + 59, 60, 0, 0), 10, now)
    assert clock.steady() == 30 * 3600
    for wrong in (10**9, 0, -90, 0):
        clock.set((UTC + 30 * 3600 + wrong, 60, 0, 0), 10, now)
        assert clock.steady() == 0
    now = ticks_add(now, 3600000)
    clock.set((UTC + 31 * 3600, 60, 0, 0), 10, now)
    assert clock.steady() == 3600
