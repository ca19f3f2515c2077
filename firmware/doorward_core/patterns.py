# What a person sees and hears, as a text: "g200 -100 g200" is green for 200 ms, dark for 100, green
# again. See docs/drivers.md.
#
# pattern: steps with one space between them, and "*3" at the end to have them three times.
# step: what is on, then for how many ms. What is on: letters, or "-" for nothing.
#
# For who writes patterns: a board plays what was checked before (drivers.pattern).

from doorward_core.compat import const

_MAX_MS = const(10000)
_MAX_STEPS = const(32)
_MAX_TIMES = const(20)
_MAX_TOTAL_MS = const(60000)


def parse(text: str) -> "tuple[tuple[tuple[str, int], ...], int]":
    # (steps, times); a step is (what, ms), with "" for nothing. Raises ValueError.
    words = text.split(" ")
    times = 1
    if words[-1][:1] == "*":
        times = _number(words.pop(), 1, _MAX_TIMES)
    if not 0 < len(words) <= _MAX_STEPS:
        raise ValueError("pattern: need 1 to 32 steps")
    steps = tuple([_step(word) for word in words])
    if sum([ms for _, ms in steps]) * times > _MAX_TOTAL_MS:
        raise ValueError("pattern: need 60 s or less")
    return steps, times


def _step(word: str) -> "tuple[str, int]":
    at = 0
    while at < len(word) and "a" <= word[at] <= "z":
        at += 1
    if at:
        return word[:at], _number(word, at, _MAX_MS)
    if word[:1] != "-":
        raise ValueError("pattern: " + word + ": need letters or -, then ms")
    return "", _number(word, 1, _MAX_MS)


def _number(word: str, at: int, most: int) -> int:
    # isdigit() takes more for a digit than int() does.
    digits = word[at:]
    if not digits or [c for c in digits if not "0" <= c <= "9"] or not 0 < int(digits) <= most:
        raise ValueError("pattern: " + word + ": need a number from 1 to " + str(most))
    return int(digits)
