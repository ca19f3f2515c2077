# How many wrong codes a keypad takes: what a guesser gets, and what those get who mistype.

from doorward_core import code_limit
from doorward_core.compat import ticks_add

MINUTE = 60000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def show(state, verdict, now):
    # (state, whether it was looked at)
    state, effects = code_limit.step(state, "show", now)
    if "check" not in effects:
        return state, False
    return code_limit.step(state, verdict, now)[0], True


def guesses(days, step=code_limit.step, own=None, release=False):
    # How many wrong codes are looked at of somebody who tries one a minute, day and night. own: in minutes, how often
    # their own code lies between. release: they end every wait from afar that they may.
    state, now, looked_at = code_limit.start(0, 0), 0, 0
    for minute in range(days * 24 * 60):
        now = ticks_add(now, MINUTE)
        state, _ = step(state, "tick", now)
        if release:
            state, _ = step(state, "release", now)
        if own and minute % own == 0:
            state, effects = step(state, "show", now)
            if "check" in effects:
                state, _ = step(state, "granted", now)
        state, effects = step(state, "show", now)
        if "check" in effects:
            state, _ = step(state, "refused", now)
            looked_at += 1
    return looked_at


def test_four_digits_are_not_found_by_trying():
    # docs/lockout.md and gateway/doorward/domain/typed_codes.py have these numbers.
    assert guesses(1) <= 19
    assert 150 < guesses(30) <= 193


def test_whoever_has_a_code_does_not_guess_faster_than_one_an_hour():
    assert guesses(1, own=1) <= 13 + 24
    assert guesses(10, own=1) <= 13 + 240


def test_whoever_ends_waits_from_afar_guesses_once_more_and_not_for_ever():
    assert guesses(1, release=True) <= 20
    assert 150 < guesses(30, release=True) <= 194
    assert guesses(10, own=1, release=True) <= 14 + 240


def test_a_wait_that_may_be_ended_every_time_is_caught():
    def mutant(state, event, now):
        return code_limit.step(state[:3] + (False,), event, now)

    assert guesses(1, mutant, release=True) == 24 * 60


def test_a_wait_may_be_ended_again_when_fewer_than_five_count():
    state, _ = code_limit.step(code_limit.start(6, 0), "release", 0)
    state, _ = code_limit.step(state, "refused", 0)
    assert code_limit.step(state, "release", 0) == (state, [])
    now = 0
    for wrong in (6, 5, 4):
        now = ticks_add(now, HOUR)
        state, _ = code_limit.step(state, "granted", now)
        assert (state[0], state[3]) == (wrong, wrong >= 5)
    state, effects = code_limit.step(state, "refused", now)
    assert effects == ["persist", "lockout.entered"]
    assert code_limit.step(state, "release", now)[1] == ["lockout.cleared"]


def test_a_limit_that_begins_anew_after_a_right_code_is_caught():
    def mutant(state, event, now):
        state, effects = code_limit.step(state, event, now)
        return (code_limit.start(0, now) if event == "granted" else state), effects

    assert guesses(1, mutant, own=2) > 500


def test_a_limit_that_does_not_wait_is_caught():
    def mutant(state, event, now):
        state, effects = code_limit.step(state, event, now)
        return (state[0], state[1], None, False), effects

    assert guesses(1, mutant) == 24 * 60


def test_four_mistakes_cost_nobody_anything_and_the_fifth_a_minute():
    state, now = code_limit.start(0, 0), 0
    for _ in range(4):
        state, looked_at = show(state, "refused", now)
        assert looked_at
    state, looked_at = show(state, "granted", now)
    assert looked_at
    state, looked_at = show(state, "refused", now)
    assert looked_at
    assert show(state, "granted", now)[1] is False
    state, effects = code_limit.step(state, "tick", MINUTE - 1)
    assert effects == []
    state, effects = code_limit.step(state, "tick", MINUTE)
    assert effects == ["lockout.cleared"]
    assert show(state, "granted", MINUTE)[1]


def test_mistakes_are_forgiven():
    state, now = code_limit.start(4, 0), 0
    for _ in range(4):
        now = ticks_add(now, 4 * HOUR)
        state, effects = code_limit.step(state, "tick", now)
        assert effects == ["persist"]
    assert state[0] == 0
    # After a right code sooner, and not more often for more of them.
    state = code_limit.start(3, now)
    for minutes in (1, 58, 1, 30):
        now = ticks_add(now, minutes * MINUTE)
        state, _ = code_limit.step(state, "granted", now)
    assert state[0] == 2


def test_a_power_cut_ends_no_wait():
    state, effects = code_limit.step(code_limit.start(4, 0), "refused", 0)
    assert effects == ["persist", "lockout.entered"]
    state = code_limit.start(state[0], 5000)
    assert show(state, "granted", 5000 + MINUTE - 1)[1] is False
    state, _ = code_limit.step(state, "tick", 5000 + MINUTE)
    assert show(state, "granted", 5000 + MINUTE)[1]


def test_no_wait_is_longer_than_four_hours():
    assert [code_limit.wait_ms(wrong) // MINUTE for wrong in (4, 5, 6, 12, 13, 99)] == [
        0,
        1,
        2,
        128,
        240,
        240,
    ]
