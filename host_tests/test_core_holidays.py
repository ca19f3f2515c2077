# Schedules on holidays, and in the week when the clocks change, minute by minute. Both interpreters.

from doorward_core import access, access_rules, gateway_timestamps, timestamps
from doorward_core.access import Credential, decide
from doorward_core.access_values import Door, Request, State
from doorward_core.compat import ticks_add
from doorward_core.schedule import ALWAYS, HOLIDAY, contains
from doorward_node.clock import Clock

# The last week of October 2026 in Berlin: the clocks go back on Sunday the 25th at 01:00 UTC.
CHANGE = gateway_timestamps.parse("2026-10-25T01:00:00Z")
MONDAY = timestamps.local(gateway_timestamps.parse("2026-10-19T12:00:00Z"), 0)[0]
FRIDAY = MONDAY + 4

OFFICE = ((0x1F, 480, 1080), (0x20, 600, 720))
NIGHT = ((0x1F, 1320, 360),)
SUNDAY = ((0x40, 90, 210),)  # 01:30 to 03:30, through the hour that comes twice
DUTY = OFFICE + ((HOLIDAY, 540, 600),)


def expected(name, day, minute):
    # By hand, day after Monday: Friday is a holiday. A night belongs to the day on which it starts.
    if name == "office":
        return (day < 4 and 480 <= minute < 1080) or (day == 5 and 600 <= minute < 720)
    if name == "night":
        return (day < 4 and minute >= 1320) or (0 < day < 5 and minute < 360)
    if name == "sunday":
        return day == 6 and 90 <= minute < 210
    if name == "duty":
        return expected("office", day, minute) or (day == 4 and 540 <= minute < 600)
    return True


def test_a_week_of_a_change_and_a_holiday_equals_its_truth_table():
    people = {"office": OFFICE, "night": NIGHT, "sunday": SUNDAY, "duty": DUTY, "owner": ALWAYS}
    start = CHANGE - 6 * 86400 - 3 * 3600  # Monday 00:00 in Berlin
    state = State(site=True, holidays=((FRIDAY, FRIDAY),))
    now = 0
    clock = Clock(now)
    assert clock.set((start, 120, CHANGE, 60), 100, now)
    for name, windows in people.items():
        credential = Credential(1, 1, windows)
        people[name] = credential
    for passed in range(7 * 1440 + 60):
        # A week with one hour more.
        local = passed if start + passed * 60 < CHANGE else passed - 60
        day, minute = clock.local(now)
        assert (day - MONDAY, minute) == (local // 1440, local % 1440)
        for name, credential in people.items():
            found = decide(credential, Door(), Request(), minute, day, state)
            wanted = expected(name, local // 1440, local % 1440)
            assert (found.verdict == access.GRANT) is wanted, (name, day - MONDAY, minute)
            assert found.rule == access_rules.RULE_SCHEDULE
        now = ticks_add(now, 60000)


class Dice:
    # xorshift: the same throws on both interpreters.
    def __init__(self, seed):
        self._word = seed

    def throw(self, most):
        word = self._word
        word ^= word << 13 & 0xFFFFFFFF
        word ^= word >> 17
        word ^= word << 5 & 0xFFFFFFFF
        self._word = word
        return word % (most + 1)


def test_any_windows_and_holidays_equal_a_table_that_is_filled_in():
    dice = Dice(20261025)
    for _ in range(40):
        windows = tuple(
            [(dice.throw(255), dice.throw(1439), dice.throw(1440)) for _ in range(dice.throw(3))]
        )
        holidays = []
        for _ in range(dice.throw(3)):
            first = MONDAY - 2 + dice.throw(9)
            holidays.append((first, first + dice.throw(3)))
        closed = [any(a <= day <= b for a, b in holidays) for day in range(MONDAY - 1, MONDAY + 8)]
        table = set()
        for after in range(-1, 7):
            bit = 7 if closed[after + 1] else after % 7
            for mask, start, end in windows:
                if mask >> bit & 1:
                    length = end - start if end > start else end + 1440 - start
                    table.update(range(after * 1440 + start, after * 1440 + start + length))
        for minute in range(0, 7 * 1440, 7):
            held = contains(windows, MONDAY + minute // 1440, minute % 1440, tuple(holidays))
            assert held is (minute in table), (windows, holidays, minute)


def test_who_has_a_key_for_always_has_it_on_holidays_and_without_a_clock():
    owner = Credential(1, 1, ALWAYS)
    state = State(site=True, holidays=((FRIDAY, FRIDAY),))
    for day, minute in ((FRIDAY, 600), (None, None)):
        assert decide(owner, Door(), Request(), minute, day, state).verdict == access.GRANT
