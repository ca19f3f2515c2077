# The padlock's table: release, relock, cap, and a bolt that does not come home. Both interpreters.

from doorward_core import padlock
from doorward_core.compat import ticks_add, ticks_diff

SETTINGS = padlock.Settings(open_ms=5000, cap_ms=10000, retry_ms=30000)
# Just before the ticks of an ESP32 wrap.
START = (1 << 30) - 500


def run(script, phase="locked", state=None):
    state = state or padlock.State(phase, START, None)
    done = []
    for at, event, *more in script:
        state, effects = padlock.step(state, event, ticks_add(START, at), SETTINGS, *more)
        done += [(at, effect) for effect in effects]
    return state, done


def moves(done):
    return [(at, effect) for at, effect in done if effect in ("unlock", "lock")]


def test_a_grant_unlocks_and_time_relocks():
    script = [(0, "grant", 3000), (2999, "tick"), (3000, "tick"), (3400, "bolted")]
    state, done = run(script)
    assert moves(done) == [(0, "unlock"), (3000, "lock")]
    assert [at for at, effect in done if effect == "lock.changed"] == [0, 3400]
    assert state.phase == "locked"


def test_after_power_up_it_waits_for_the_bolt():
    assert run([(0, "tick")], state=padlock.start(START))[1] == []
    state, done = run([(400, "bolted")], state=padlock.start(START))
    assert (state.phase, done) == ("locked", [(400, "lock.changed")])
    assert run([(2000, "jammed")], state=padlock.start(START))[1] == [(2000, "door.held")]


def test_relock_ends_it_early():
    assert moves(run([(0, "grant"), (100, "relock")])[1]) == [(0, "unlock"), (100, "lock")]


def test_grants_on_end_never_pass_the_cap_and_each_is_told():
    script = [(at, "grant", 5000) for at in range(0, 9900, 700)]
    script += [(at, "tick") for at in range(9900, 10100, 50)]
    _, done = run(script)
    assert moves(done) == [(0, "unlock"), (10000, "lock")]
    assert sum(effect == "lock.changed" for _, effect in done) == len(range(0, 9900, 700))


def test_a_bolt_that_is_stuck_is_told_once_and_tried_now_and_then():
    script = [(0, "grant", 1000), (1000, "tick"), (3000, "jammed"), (32999, "tick")]
    script += [(33000, "tick"), (35000, "jammed"), (63000, "tick"), (63100, "bolted")]
    state, done = run(script)
    assert moves(done) == [(0, "unlock"), (1000, "lock"), (33000, "lock"), (63000, "lock")]
    assert [effect for _, effect in done if "." in effect] == [
        "lock.changed",
        "door.held",
        "lock.changed",
        "door.closed",
    ]
    assert state.phase == "locked"


def test_a_bolt_that_springs_home_is_locked():
    state, done = run([(0, "grant"), (800, "bolted"), (5000, "tick")])
    assert (state.phase, moves(done)) == ("locked", [(0, "unlock")])


def test_a_bolt_that_moves_by_itself_is_forced():
    state, done = run([(0, "slipped")])
    assert (state.phase, done) == ("forced", [(0, "door.forced")])
    assert run([(9, "bolted")], state=state)[1] == [(9, "door.closed")]
    assert moves(run([(9, "relock")], state=state)[1]) == [(9, "lock")]


def test_a_bolt_that_moves_while_it_may_is_not():
    for phase in ("unlocked", "locking", "jammed"):
        assert run([(0, "slipped")], phase)[1] == []


def test_only_a_grant_unlocks():
    for line in padlock.TRANSITIONS.strip().split("\n"):
        phase, event, after, *effects = line.split(" ")
        if "unlock" in effects:
            assert event == "grant" and after == "unlocked"
        if event == "grant":
            assert after == "unlocked" and (phase == "unlocked" or effects[0] == "unlock")
        if phase == "unlocked" and after != "unlocked":
            assert effects == ["lock"] or event == "bolted"


def test_random_lives_never_leave_it_unlocked_beyond_its_cap():
    events = ("grant", "relock", "bolted", "slipped", "jammed", "tick")
    seed = 7
    state, open_since, now = padlock.start(START), None, START
    for _ in range(20000):
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        now = ticks_add(now, 50)
        state, effects = padlock.step(state, events[(seed >> 16) % 6], now, SETTINGS)
        state, more = padlock.step(state, "tick", now, SETTINGS)
        if "unlock" in effects + more:
            open_since = now
        if state.phase != "unlocked":
            open_since = None
        assert (open_since is not None) == (state.phase == "unlocked")
        assert open_since is None or ticks_diff(now, open_since) <= SETTINGS.cap_ms
