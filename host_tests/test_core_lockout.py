# The vault's lockout: its words, its five and six, and what a power cut leaves. Both interpreters.

from doorward_core import lockout
from doorward_core.compat import ticks_add

CLASSIC, SECURE = lockout.CLASSIC_MS, None
# Just before the ticks of an ESP32 wrap.
START = (1 << 30) - 500


def run(script, hold_ms=SECURE, state=None):
    # script: (ms since START, event); returns the state and [(ms, effect), ...].
    state = state or lockout.start(0, False, START, hold_ms)
    done = []
    for at, event in script:
        state, effects = lockout.step(state, event, ticks_add(START, at), hold_ms)
        done += [(at, effect) for effect in effects]
    return state, done


def wrong(times, since=0):
    return [
        (since + 10 * number, event) for number in range(times) for event in ("attempt", "refused")
    ]


def logged(done):
    return [(at, effect) for at, effect in done if effect != "persist"]


def test_the_words_are_the_seeds():
    assert lockout.STATE == "INDEFINITE_LOCKED"
    assert lockout.ERROR == "ACCESS FAILURE: TOO MANY UNLOCK ATTEMPTS DETECTED"


def test_five_wrong_attempts_do_not_lock_and_the_sixth_does():
    state, done = run(wrong(5))
    assert (state.phase, state.attempts, logged(done)) == ("open", 5, [])
    state, done = run(wrong(6))
    assert (state.phase, state.attempts) == ("held", 6)
    assert logged(done) == [(50, "lockout.entered")]


def test_the_sixth_may_be_right():
    state, done = run(wrong(5) + [(60, "attempt"), (61, "granted")])
    assert (state.phase, state.attempts, logged(done)) == ("open", 0, [])
    assert run(wrong(5, since=100), state=state)[0].phase == "open"


def test_every_attempt_is_persisted_before_it_has_a_verdict():
    state = lockout.start(0, False, START, SECURE)
    for number in range(1, 7):
        state, effects = lockout.step(state, "attempt", START, SECURE)
        assert effects == ["persist"] and state.attempts == number
        state, _ = lockout.step(state, "refused", START, SECURE)


def test_nothing_is_looked_at_while_it_is_locked_or_while_another_is_looked_at():
    state = run(wrong(6))[0]
    assert lockout.step(state, "attempt", START, SECURE) == (state, [])
    state = run([(0, "attempt")])[0]
    assert lockout.step(state, "attempt", START, SECURE) == (state, [])


def test_a_verdict_that_nobody_waits_for_changes_nothing():
    for state in (run([])[0], run(wrong(6))[0]):
        for event in ("granted", "refused"):
            assert lockout.step(state, event, START, SECURE) == (state, [])


def test_classic_holds_for_exactly_30_s():
    state, _ = run(wrong(6), CLASSIC)
    assert run([(30049, "tick")], CLASSIC, state) == (state, [])
    state, done = run([(30050, "tick")], CLASSIC, state)
    assert (state.phase, state.attempts) == ("open", 0)
    assert done == [(30050, "persist"), (30050, "lockout.cleared")]


def test_secure_holds_until_it_is_released():
    state, _ = run(wrong(6))
    days = [(at * 86400000, "tick") for at in range(1, 40)]
    assert run(days, state=state) == (state, [])
    state, done = run([(1000, "release")], state=state)
    assert (state.phase, state.attempts) == ("open", 0)
    assert done == [(1000, "persist"), (1000, "lockout.cleared")]


def test_a_release_of_what_is_not_locked_changes_nothing():
    state, _ = run(wrong(4))
    assert run([(99, "release")], state=state) == (state, [])


def test_a_commanded_lockout_is_persisted_first_and_does_not_hide_the_count():
    for script in (wrong(2), wrong(2) + [(50, "attempt")]):
        state, done = run(script + [(60, "lockout")])
        assert state.phase == "held" and state.attempts == len(script) // 2 + len(script) % 2
        assert done[-2:] == [(60, "persist"), (60, "lockout.entered")]
        assert run([(70, "lockout")], state=state) == (state, [])


def test_a_commanded_lockout_does_not_prolong_a_hold():
    state, _ = run(wrong(6), CLASSIC)
    assert run([(20000, "lockout"), (30050, "tick")], CLASSIC, state)[0].phase == "open"


def test_a_start_takes_the_worst_that_was_written():
    for attempts, held, phase in (
        (0, False, "open"),
        (5, False, "open"),
        (6, False, "held"),
        (1, True, "held"),
    ):
        state = lockout.start(attempts, held, START, SECURE)
        assert (state.phase, state.attempts) == (phase, attempts)


def test_a_hold_begins_again_in_full_after_a_start():
    state = lockout.start(6, True, START, CLASSIC)
    assert run([(29999, "tick")], CLASSIC, state)[0].phase == "held"
    assert run([(30000, "tick")], CLASSIC, state)[0].phase == "open"
