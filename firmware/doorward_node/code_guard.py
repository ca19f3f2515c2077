# Who may try at a door that has a keypad: codes by doorward_core.code_limit, cards as everywhere (backoff.py).

from doorward_core import code_limit
from doorward_core.codes import is_code
from doorward_core.compat import ticks_diff
from doorward_node import files

_MOST = 99
# Is kept with the count when a wait was ended from afar.
_SPENT = 100


class CodeGuard:
    # In the place of the Backoff `cards`, and one of app.App's states. path: where the count is kept. A code is
    # charged there before anybody looks at it, or cutting the power would be a free try; what a right one gets
    # back, and what time forgives, turn() writes when nobody waits.
    held = changed = False

    def __init__(self, path, cards, now):
        self.waits = False
        self._path = path
        self._cards = cards
        kept = files.read(path)
        try:
            wrong = int(kept or b"0")
        except ValueError:
            wrong = code_limit.FREE
        self._kept = wrong if kept else 0
        spent = wrong >= _SPENT
        self._state = code_limit.start(min(wrong - _SPENT * spent, _MOST), now, spent)
        self._trying = False
        self._now = now

    @property
    def guarded(self):
        return self._cards.guarded

    def step(self, event, credential, now):
        # As Backoff.step().
        if event == "tick":
            self._now = now
            self._codes(event, now)
        elif is_code(credential):
            return self._try(event, now)
        looks = self._cards.step(event, credential, now)
        self.waits = self._cards.waits
        return looks

    def _try(self, event, now):
        looks = self._codes(event, now)
        if looks:
            looks = self._keep(max(self._kept % _SPENT, self._state[0]) + 1)
        self._trying = looks
        self.waits = event == "show" and not looks
        return looks

    def release(self, now, cause):
        # Ends a wait, and what was wrong goes on to count. cause: for the log. The result of the command: "refused"
        # is for a wait that only time ends.
        if self._step("release", now, cause):
            return "done"
        return "already" if self._state[2] is None else "refused"

    def _codes(self, event, now):
        return "check" in self._step(event, now, {})

    def _step(self, event, now, data):
        self._state, effects = code_limit.step(self._state, event, now)
        wrong = self._state[0]
        for effect in effects:
            if effect.startswith("lockout"):
                data["reader"] = self._cards.reader
                data["wrong"] = wrong
                if effect == "lockout.entered":
                    data["seconds"] = code_limit.wait_ms(wrong) // 1000
                self.changed = True
                self._cards.log(effect, data)
        return effects

    def turn(self, now, uptime):
        if not self._trying:
            self._keep(self._state[0])

    def _keep(self, wrong):
        # False if the flash does not take it.
        wrong = min(wrong, _MOST) + _SPENT * self._state[3]
        if wrong != self._kept:
            try:
                files.replace(self._path, str(wrong).encode())
            except OSError:
                return False
            self._kept = wrong
        return True

    def report(self, fields):
        until = self._state[2]
        if until is not None:
            fields["hold_s"] = max(ticks_diff(until, self._now), 0) // 1000 + 1
