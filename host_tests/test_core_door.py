# The door's table: strike, contact, held, forced, REX and the cap. Both interpreters.

from doorward_core import door
from doorward_core.compat import ticks_add, ticks_diff

SETTINGS = door.Settings(strike_ms=5000, cap_ms=10000, held_ms=30000, rex_ms=5000)
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
    return [(at, effect) for at, effect in done if effect in (door.ENERGISE, door.DE_ENERGISE)]


def test_a_grant_energises_until_its_time_is_over():
    state, done = run([(0, door.GRANT, 3000), (2999, door.TICK), (3000, door.TICK)])
    assert strike(done) == [(0, door.ENERGISE), (3000, door.DE_ENERGISE)]
    assert state.phase == door.LOCKED


def test_opening_the_door_relocks_at_once():
    state, done = run([(0, door.GRANT), (800, door.OPENED), (4000, door.CLOSED)])
    assert strike(done) == [(0, door.ENERGISE), (800, door.DE_ENERGISE)]
    assert [effect for _, effect in done if "." in effect] == [
        door.LOCK_CHANGED,
        door.DOOR_OPEN,
        door.LOCK_CHANGED,
        door.DOOR_CLOSED,
    ]
    assert state.phase == door.LOCKED


def test_grants_on_end_never_pass_the_cap():
    script = [(at, door.GRANT, 5000) for at in range(0, 9900, 700)]
    script += [(at, door.TICK) for at in range(9900, 10100, 50)]
    _, done = run(script)
    assert strike(done) == [(0, door.ENERGISE), (10000, door.DE_ENERGISE)]


def test_a_grant_longer_than_the_cap_is_cut():
    _, done = run([(0, door.GRANT, 60000), (9999, door.TICK), (10000, door.TICK)])
    assert strike(done) == [(0, door.ENERGISE), (10000, door.DE_ENERGISE)]


def test_relock_ends_it_early():
    state, done = run([(0, door.GRANT), (100, door.RELOCK)])
    assert strike(done)[-1] == (100, door.DE_ENERGISE)
    assert state.phase == door.LOCKED


def test_an_opening_nobody_allowed_is_forced():
    state, done = run([(0, door.OPENED)])
    assert done == [(0, door.DOOR_FORCED)]
    assert state.phase == door.FORCED
    state, done = run([(10, door.CLOSED)], state)
    assert done == [(10, door.DOOR_CLOSED)]


def test_an_opening_after_rex_is_not_forced_and_energises_nothing():
    state, done = run([(0, door.REX), (4999, door.TICK), (4999, door.OPENED)])
    assert [effect for _, effect in done] == [door.DOOR_REX, door.DOOR_OPEN]
    assert state.phase == door.OPEN


def test_rex_wears_off():
    _state, done = run([(0, door.REX), (5000, door.TICK), (5001, door.OPENED)])
    assert [effect for _, effect in done] == [door.DOOR_REX, door.DOOR_FORCED]


def test_a_door_that_stands_open_is_held():
    script = [(0, door.GRANT), (100, door.OPENED), (30099, door.TICK), (30100, door.TICK)]
    state, done = run(script)
    assert done[-1] == (30100, door.DOOR_HELD)
    assert state.phase == door.HELD
    assert run([(40000, door.TICK)], state)[1] == []


def test_a_grant_at_an_open_door_moves_no_relay():
    for phase in (door.OPEN, door.HELD, door.FORCED):
        state, done = run([(0, door.GRANT)], door.State(phase, START, None))
        assert done == []
        assert state.phase == door.OPEN


def test_after_power_up_nothing_is_energised_and_an_open_door_is_not_forced():
    assert run([], contact_open=False)[0].phase == door.LOCKED
    _state, done = run([(30000, door.TICK)], contact_open=True)
    assert done == [(30000, door.DOOR_HELD)]


def test_only_two_rows_energise_and_every_way_out_of_unlocked_lets_go():
    for (phase, event), (after, effects) in door.TRANSITIONS.items():
        if door.ENERGISE in effects:
            assert event == door.GRANT
            assert after == door.UNLOCKED
        if phase == door.UNLOCKED and after != door.UNLOCKED:
            assert door.DE_ENERGISE in effects
        if after == door.UNLOCKED and phase != door.UNLOCKED:
            assert door.ENERGISE in effects


def test_random_lives_never_leave_the_strike_on_beyond_its_cap():
    events = (door.GRANT, door.RELOCK, door.OPENED, door.CLOSED, door.REX, door.TICK, door.TICK)
    seed = 7
    state, on_since, now = door.start(False, START, SETTINGS), None, START
    for _ in range(20000):
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        now = ticks_add(now, 50)
        state, effects = door.step(state, events[(seed >> 16) % 7], now, SETTINGS)
        state, more = door.step(state, door.TICK, now, SETTINGS)
        for effect in effects + more:
            if effect == door.ENERGISE:
                assert on_since is None
                on_since = now
            elif effect == door.DE_ENERGISE:
                assert on_since is not None
                on_since = None
        assert (on_since is not None) == (state.phase == door.UNLOCKED)
        assert on_since is None or ticks_diff(now, on_since) <= SETTINGS.cap_ms
