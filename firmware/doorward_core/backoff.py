# The back-off of one reader at a door: guessing gets slow, and nobody's junk keeps a member out.
#
# step(state, event, credential, now) -> (state, effects). After _LIMIT refusals in a row a
# credential is looked at only when it is shown again; after its _FREE-th refusal on end it also
# waits by itself, twice as long every time. Kept in RAM: a start takes longer than it would save.

from doorward_core.compat import const, ticks_add, ticks_diff
from doorward_core.tables import row

_LIMIT = const(5)
# For so long nobody must have been refused or turned away for the back-off to end.
_QUIET_MS = const(60000)
_FREE = const(3)
_WAIT_MS = const(2000)
_MAX_WAIT_MS = const(64000)
# Who was refused or turned away lately. A member passes at the second showing if fewer strangers
# than this came between the two.
_KNOWN = const(8)

# "granted" and "refused" are verdicts. The machine makes "exceeded" of one refusal too many by
# itself, and "timeout" of a "tick".
TRANSITIONS: str = """
calm refused calm
calm granted calm
calm timeout calm
calm exceeded guarded lockout.entered
guarded exceeded guarded
guarded granted calm lockout.cleared
guarded timeout calm lockout.cleared
"""


class State:
    # phase; refused: how often in a row; turned: how often a credential was turned away since it
    # began; known: (credential, refusals on end, tick from which it is looked at), oldest first;
    # deadline in ticks. Never changed.
    __slots__ = ("phase", "refused", "turned", "known", "deadline")

    def __init__(
        self,
        phase: str = "calm",
        refused: int = 0,
        turned: int = 0,
        known: "tuple[tuple[bytes, int, int], ...]" = (),
        deadline: "int | None" = None,
    ) -> None:
        self.phase = phase
        self.refused = refused
        self.turned = turned
        self.known = known
        self.deadline = deadline


def step(state: State, event: str, credential: bytes, now: int) -> "tuple[State, list[str]]":
    # The next state and the effects. event: "show", with the effect "check" if the credential may
    # be looked at; its verdict "granted" or "refused"; or "tick", for which credential is not used.
    if event == "show":
        return _show(state, credential, now)
    if event == "tick":
        if state.deadline is None or ticks_diff(now, state.deadline) < 0:
            return state, []
        event = "timeout"
    elif event == "refused" and state.refused + 1 >= _LIMIT:
        event = "exceeded"
    effects = row(TRANSITIONS, state.phase, event)
    if not effects:
        return state, effects
    phase = effects.pop(0)
    if event == "timeout":
        return State(phase), effects
    others, refusals, _due = _find(state.known, credential)
    if event == "granted":
        return State(phase, 0, 0, others, state.deadline), effects
    refusals += 1
    known = _with(others, credential, refusals, ticks_add(now, _wait(refusals)))
    deadline = ticks_add(now, _QUIET_MS)
    return State(phase, min(state.refused + 1, _LIMIT), state.turned, known, deadline), effects


def _show(state: State, credential: bytes, now: int) -> "tuple[State, list[str]]":
    others, refusals, due = _find(state.known, credential)
    # Ticks wrap: what looks further away than any wait lies behind us.
    waits = due is not None and 0 < ticks_diff(due, now) <= _MAX_WAIT_MS
    if not waits and (due is not None or state.phase == "calm"):
        return state, ["check"]
    known = _with(others, credential, refusals, now if due is None else due)
    deadline = ticks_add(now, _QUIET_MS)
    return State(state.phase, state.refused, state.turned + 1, known, deadline), []


def _wait(refusals: int) -> int:
    # How long a credential that was refused so often on end is not looked at, in ms.
    if refusals < _FREE:
        return 0
    return min(_WAIT_MS << min(refusals - _FREE, 5), _MAX_WAIT_MS)


def _find(
    known: "tuple[tuple[bytes, int, int], ...]", credential: bytes
) -> "tuple[tuple[tuple[bytes, int, int], ...], int, int | None]":
    # (all others, its refusals on end, tick from which it is looked at: None if it is not known).
    for one in known:
        if one[0] == credential:
            return tuple([other for other in known if other is not one]), one[1], one[2]
    return known, 0, None


def _with(
    others: "tuple[tuple[bytes, int, int], ...]", credential: bytes, refusals: int, due: int
) -> "tuple[tuple[bytes, int, int], ...]":
    return others[-(_KNOWN - 1) :] + ((credential, refusals, due),)
