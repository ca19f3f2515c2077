# The back-off of one reader at a door: guessing gets slow, and nobody's junk keeps a member out.
#
# step(state, event, credential, now) -> (state, effects). After _LIMIT refusals in a row a
# credential is looked at only when it is shown again; after its _FREE-th refusal on end it also
# waits by itself, twice as long every time. Kept in RAM: a start takes longer than it would save.
#
# A state is never changed: (phase, refusals in a row, how often a credential was turned away since
# it began, credentials lately refused or turned away, deadline in ticks). Of those, the oldest
# first: (credential, its refusals on end, the tick from which it is looked at). A tuple and not a
# class, which would cost a board a quarter more.

from doorward_core.compat import const, ticks_add, ticks_diff
from doorward_core.tables import row

_LIMIT = const(5)
# For so long nobody must have been refused or turned away for the back-off to end.
_QUIET_MS = const(60000)
_FREE = const(3)
_WAIT_MS = const(2000)
_MAX_WAIT_MS = const(64000)
# A member passes at the second showing if fewer strangers than this came between the two.
_KNOWN = const(8)

START: "tuple[str, int, int, tuple[tuple[bytes, int, int], ...], int | None]"
START = ("calm", 0, 0, (), None)

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


def step(state, event, credential, now):  # type: ignore[no-untyped-def]
    # The next state and the effects. event: "show", with the effect "check" if the credential may
    # be looked at, and "wait" if showing it again will not do; its verdict "granted" or "refused";
    # or "tick", for which credential is not used.
    phase, refused, turned, known, deadline = state
    if event == "tick":
        if deadline is None or ticks_diff(now, deadline) < 0:
            return state, []
        event = "timeout"
    refusals, due = 0, None
    others = []
    for one in known:
        if one[0] == credential:
            _, refusals, due = one
        else:
            others.append(one)
    if event == "show":
        # Ticks wrap: what looks further away than any wait lies behind us.
        waits = due is not None and 0 < ticks_diff(due, now) <= _MAX_WAIT_MS
        if not waits and (due is not None or phase == "calm"):
            return state, ["check"]
        effects = ["wait"] if waits else []
        turned += 1
        due = now if due is None else due
    else:
        refused += 1
        if event == "refused" and refused >= _LIMIT:
            refused, event = _LIMIT, "exceeded"
        effects = row(TRANSITIONS, phase, event)
        phase = effects.pop(0)
        if event == "timeout" or event == "granted":
            kept = () if event == "timeout" else tuple(others)
            return (phase, 0, 0, kept, deadline if kept else None), effects
        refusals += 1
        wait = _WAIT_MS << min(refusals - _FREE, 5) if refusals >= _FREE else 0
        due = ticks_add(now, wait)
    others = others[-(_KNOWN - 1) :]
    others.append((credential, refusals, due))
    return (phase, refused, turned, tuple(others), ticks_add(now, _QUIET_MS)), effects
