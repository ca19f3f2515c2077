# One player, which never waits, shows a pattern on a light or a buzzer. What a pattern is, and the
# check of one, stand in doorward_core.patterns: a board carries no code for that.

from doorward_core.compat import ticks_add, ticks_diff

_DIGITS = "0123456789"


class Player:
    # show(what): puts these letters on and all others off; "" is dark and silent.
    def __init__(self, show):
        self._show = show
        self._text = ""
        self._at = self._left = self._until = 0
        show("")

    def play(self, text, now):
        # Begins at once, in place of what was playing. text: a pattern.
        self._text, _star, times = text.partition(" *")
        self._left = int(times or "1")
        self._at = 0
        self._until = now
        self.tick(now)

    def stop(self):
        self._text = ""
        self._show("")

    def playing(self):
        return bool(self._text)

    def tick(self, now):
        # To be called at a steady pace; late calls shorten what follows, not what is due.
        if not self._text or ticks_diff(now, self._until) < 0:
            return
        what = ""
        while self._left and ticks_diff(now, self._until) >= 0:
            what = self._step()
        if ticks_diff(now, self._until) >= 0:
            what = self._text = ""
        self._show(what)

    def _step(self):
        # What the next step shows; goes on to the one after it.
        end = self._text.find(" ", self._at)
        word = self._text[self._at : end] if end > 0 else self._text[self._at :]
        self._at = end + 1
        if not self._at:
            self._left -= 1
        what = word.rstrip(_DIGITS)
        self._until = ticks_add(self._until, int(word[len(what) :]))
        return "" if what == "-" else what
