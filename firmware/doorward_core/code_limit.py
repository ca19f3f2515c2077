# How many wrong codes a door's keypad takes. A card cannot be typed: backoff.py is about those.
#
# step(state, event, now) -> (state, effects). Five wrong codes are anybody's mistakes; after the fifth, and after
# each one more, the keypad looks at nothing for a while, twice as long every time. One is forgiven every four hours,
# or after a right code when the last was forgiven an hour ago. So nobody without a code tries more than 13, and six
# a day on top: docs/lockout.md has the sums. A right code does not begin the count anew, or whoever has one could go on
# guessing the others'. Who ends a wait from afar ("release") forgives nothing either: it is worth one more try, and
# works once until fewer than five count again, or whoever may do it could try without end.
#
# A state is (wrong codes that are not forgiven, tick of the last that was, tick until which nothing is looked at,
# whether a wait was ended from afar).

from doorward_core.compat import const, ticks_add, ticks_diff

FREE = const(5)
_FIRST_MS = const(60000)
_LONGEST_MS = const(14400000)
_FORGIVEN_MS = const(14400000)
_EARLY_MS = const(3600000)


def start(wrong: int, now: int, spent: bool = False) -> "tuple[int, int, int | None, bool]":
    # The state after power-up, from the count that was kept: no clock survives a power cut, so a wait begins again.
    # spent: a wait was ended from afar before it.
    return wrong, now, ticks_add(now, wait_ms(wrong)) if wrong >= FREE else None, spent


def wait_ms(wrong: int) -> int:
    # For how long nothing is looked at after so many wrong codes.
    doubled = min(wrong - FREE, 8)
    return 0 if doubled < 0 else min(_FIRST_MS << doubled, _LONGEST_MS)


def step(state, event, now):  # type: ignore[no-untyped-def]
    # The next state and the effects. event: "show", with the effect "check" if a code may be looked at; its verdict
    # "granted" or "refused"; "release"; or "tick". "persist": the count has changed.
    wrong, since, until, spent = state
    if event == "release":
        if until is None or spent:
            return state, []
        return (wrong, since, None, True), ["lockout.cleared"]
    if event == "show":
        return state, [] if until is not None else ["check"]
    if event == "refused":
        wrong += 1
        if wrong == 1:
            since = now
        if wrong < FREE:
            return (wrong, since, None, False), ["persist"]
        return (wrong, since, ticks_add(now, wait_ms(wrong)), spent), ["persist", "lockout.entered"]
    effects = []
    if until is not None and ticks_diff(now, until) >= 0:
        until = None
        effects.append("lockout.cleared")
    if wrong and ticks_diff(now, since) >= (_EARLY_MS if event == "granted" else _FORGIVEN_MS):
        wrong, since = wrong - 1, now
        effects.append("persist")
    return (wrong, since, until, spent and wrong >= FREE), effects
