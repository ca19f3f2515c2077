# The lockout of a vault: how many attempts there were, and when no more are looked at.
#
# step(state, event, now, settings) -> (state, effects). An attempt is charged before anybody looks
# at it: who performs "persist" and fails has to turn it away. start() makes of what was written the
# worst that it can have become, so that a power cut at any instant costs the try.

from doorward_core.compat import const, ticks_add, ticks_diff
from doorward_core.tables import row

# More attempts than this lock: five do not, the sixth does. A seed's number, as the texts are.
LIMIT = const(5)
STATE = "INDEFINITE_LOCKED"
ERROR = "ACCESS FAILURE: TOO MANY UNLOCK ATTEMPTS DETECTED"
# How long profile `classic` holds. `secure` holds until it is released.
CLASSIC_MS = const(30000)

# "attempt", then its verdict "granted" or "refused"; "lockout" and "release" are commands. The
# machine makes "exceeded" of one refusal too many by itself, and "timeout" of a "tick".
TRANSITIONS: str = """
open attempt checking persist
open lockout held persist lockout.entered
checking granted open persist
checking refused open
checking exceeded held lockout.entered
checking lockout held persist lockout.entered
held release open persist lockout.cleared
held timeout open persist lockout.cleared
"""


class State:
    # phase; attempts since the last that was granted; deadline of the hold in ticks (None: until
    # it is released). Never changed.
    __slots__ = ("phase", "attempts", "deadline")

    def __init__(self, phase: str, attempts: int, deadline: "int | None" = None) -> None:
        self.phase = phase
        self.attempts = attempts
        self.deadline = deadline


def start(attempts: int, held: bool, now: int, hold_ms: "int | None") -> State:
    # The state after power-up, from what was persisted. No clock survives a power cut, so a hold
    # begins again in full; an attempt too many that nobody answered is one that failed.
    if held or attempts > LIMIT:
        return State("held", attempts, _end(now, hold_ms))
    return State("open", attempts)


def step(state: State, event: str, now: int, hold_ms: "int | None") -> "tuple[State, list[str]]":
    # The next state and the effects to perform, in order. hold_ms: CLASSIC_MS, or None to hold
    # until "release". Only an "attempt" with the effect "persist" may be looked at.
    if event == "tick":
        if state.deadline is None or ticks_diff(now, state.deadline) < 0:
            return state, []
        event = "timeout"
    elif event == "refused" and state.attempts > LIMIT:
        event = "exceeded"
    effects = row(TRANSITIONS, state.phase, event)
    if not effects:
        return state, effects
    phase = effects.pop(0)
    if phase == "held":
        return State(phase, state.attempts, _end(now, hold_ms)), effects
    attempts = state.attempts
    if event == "attempt":
        attempts += 1
    elif event != "refused":
        attempts = 0
    return State(phase, attempts), effects


def _end(now: int, hold_ms: "int | None") -> "int | None":
    return None if hold_ms is None else ticks_add(now, hold_ms)
