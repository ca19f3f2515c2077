# What a person sees and hears, as a text: "g200 -100 g200" is green for 200 ms, dark for 100, green
# again. See docs/drivers.md. One player, which never waits, shows it on a light or a buzzer.
#
# pattern: steps with one space between them, and "*3" at the end to have them three times.
# step: what is on, then for how many ms. What is on: letters, or "-" for nothing.

from doorward_core.compat import const, ticks_add, ticks_diff

_MAX_MS = const(10000)
_MAX_STEPS = const(32)
_MAX_TIMES = const(20)
_MAX_TOTAL_MS = const(60000)


def parse(text):
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


def _step(word):
    at = 0
    while at < len(word) and "a" <= word[at] <= "z":
        at += 1
    if at:
        return word[:at], _number(word, at, _MAX_MS)
    if word[:1] != "-":
        raise ValueError("pattern: " + word + ": need letters or -, then ms")
    return "", _number(word, 1, _MAX_MS)


def _number(word, at, most):
    # isdigit() takes more for a digit than int() does.
    digits = word[at:]
    if not digits or [c for c in digits if not "0" <= c <= "9"] or not 0 < int(digits) <= most:
        raise ValueError("pattern: " + word + ": need a number from 1 to " + str(most))
    return int(digits)


class Player:
    # show(what): puts these letters on and all others off; "" is dark and silent.
    def __init__(self, show):
        self._show = show
        self._steps = ()
        self._left = self._until = 0
        show("")

    def play(self, text, now):
        # Begins at once, in place of what was playing. Raises ValueError and changes nothing.
        self._steps, times = parse(text)
        self._left = len(self._steps) * times
        self._until = now
        self.tick(now)

    def stop(self):
        self._steps = ()
        self._show("")

    def playing(self):
        return bool(self._steps)

    def tick(self, now):
        # To be called at a steady pace; late calls shorten what follows, not what is due.
        if not self._steps or ticks_diff(now, self._until) < 0:
            return
        what = ""
        while self._left and ticks_diff(now, self._until) >= 0:
            what, ms = self._steps[-self._left % len(self._steps)]
            self._left -= 1
            self._until = ticks_add(self._until, ms)
        if ticks_diff(now, self._until) >= 0:
            what = ""
            self._steps = ()
        self._show(what)
