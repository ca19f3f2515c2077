# The door's table: strike, contact, held, forced, REX and the cap. Both interpreters.

from doorward_core import door
from doorward_core.compat import ticks_add, ticks_diff

SETTINGS = door.Settings(strike_ms=5000, cap_ms=10000, held_ms=30000)
# Just before the ticks of an ESP32 wrap: every time below is on the other side.
START = (1 << 30) - 500


def run(script, state=None, contact_open=False):
    # script: (ms since START, event[, grant_ms]); returns the state and [(ms, effect), ...].
    state = state or door.start(contact_open, START, SETTINGS)
    done = []
    for at, event, *more in script:
        state, effects = door.step(state, event, ticks_add(START, at), SETTINGS, *more)
        done += [(at, effect) for effect in effects]
    return state, done


def strike(done):
    return [(at, effect) for at, effect in done if effect in ("energise", "de-energise")]


def test_a_grant_energises_until_its_time_is_over():
    state, done = run([(0, "grant", 3000), (2999, "tick"), (3000, "tick")])
    assert strike(done) == [(0, "energise"), (3000, "de-energise")]
    assert state.phase == "locked"


def test_opening_the_door_relocks_at_once():
    state, done = run([(0, "grant"), (800, "opened"), (4000, "closed")])
    assert strike(done) == [(0, "energise"), (800, "de-energise")]
    assert [effect for _, effect in done if "." in effect] == [
        "lock.changed",
        "door.open",
        "lock.changed",
        "door.closed",
    ]
    assert state.phase == "locked"


def test_grants_on_end_never_pass_the_cap():
    script = [(at, "grant", 5000) for at in range(0, 9900, 700)]
    script += [(at, "tick") for at in range(9900, 10100, 50)]
    _, done = run(script)
    assert strike(done) == [(0, "energise"), (10000, "de-energise")]


def test_a_grant_longer_than_the_cap_is_cut():
    _, done = run([(0, "grant", 60000), (9999, "tick"), (10000, "tick")])
    assert strike(done) == [(0, "energise"), (10000, "de-energise")]


def test_relock_ends_it_early():
    state, done = run([(0, "grant"), (100, "relock")])
    assert strike(done)[-1] == (100, "de-energise")
    assert state.phase == "locked"


def test_an_opening_nobody_allowed_is_forced():
    state, done = run([(0, "opened")])
    assert done == [(0, "door.forced")]
    assert state.phase == "forced"
    state, done = run([(10, "closed")], state)
    assert done == [(10, "door.closed")]


def test_an_opening_after_rex_is_not_forced_and_energises_nothing():
    state, done = run([(0, "rex"), (4999, "tick"), (4999, "opened")])
    assert [effect for _, effect in done] == ["door.rex", "door.open"]
    assert state.phase == "open"


def test_rex_wears_off():
    _state, done = run([(0, "rex"), (5000, "tick"), (5001, "opened")])
    assert [effect for _, effect in done] == ["door.rex", "door.forced"]


def test_a_door_that_stands_open_is_held():
    script = [(0, "grant"), (100, "opened"), (30099, "tick"), (30100, "tick")]
    state, done = run(script)
    assert done[-1] == (30100, "door.held")
    assert state.phase == "held"
    assert run([(40000, "tick")], state)[1] == []


def test_a_grant_at_an_open_door_moves_no_relay():
    for phase in ("open", "held", "forced"):
        state, done = run([(0, "grant")], door.State(phase, START, None))
        assert done == []
        assert state.phase == "open"


def test_after_power_up_nothing_is_energised_and_an_open_door_is_not_forced():
    assert run([], contact_open=False)[0].phase == "locked"
    _state, done = run([(30000, "tick")], contact_open=True)
    assert done == [(30000, "door.held")]


def test_only_two_rows_energise_and_every_way_out_of_unlocked_lets_go():
    for row in door.TRANSITIONS.strip().split("\n"):
        phase, event, after, *effects = row.split(" ")
        if "energise" in effects:
            assert event == "grant"
            assert after == "unlocked"
        if phase == "unlocked" and after != "unlocked":
            assert "de-energise" in effects
        if after == "unlocked" and phase != "unlocked":
            assert "energise" in effects


def test_random_lives_never_leave_the_strike_on_beyond_its_cap():
    events = ("grant", "relock", "opened", "closed", "rex", "tick", "tick")
    seed = 7
    state, on_since, now = door.start(False, START, SETTINGS), None, START
    for _ in range(20000):
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        now = ticks_add(now, 50)
        state, effects = door.step(state, events[(seed >> 16) % 7], now, SETTINGS)
        state, more = door.step(state, "tick", now, SETTINGS)
        for effect in effects + more:
            if effect == "energise":
                assert on_since is None
                on_since = now
            elif effect == "de-energise":
                assert on_since is not None
                on_since = None
        assert (on_since is not None) == (state.phase == "unlocked")
        assert on_since is None or ticks_diff(now, on_since) <= SETTINGS.cap_ms
