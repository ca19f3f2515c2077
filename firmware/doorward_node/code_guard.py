# Who may try at a door that has a keypad: codes by doorward_core.code_limit, cards as everywhere (backoff.py).

from doorward_core import code_limit
from doorward_core.codes import is_code
from doorward_node import files

_MOST = 99


class CodeGuard:
    # In the place of the Backoff `cards`, and one of app.App's states. path: where the count is kept, by turn():
    # nothing is written while somebody waits at the door.
    held = changed = False

    def __init__(self, path, cards, now):
        self.waits = False
        self._path = path
        self._cards = cards
        kept = files.read(path)
        try:
            wrong = min(int(kept or b"0"), _MOST)
        except ValueError:
            wrong = code_limit.FREE
        self._state = code_limit.start(wrong, now)
        self._kept = wrong if kept else 0

    @property
    def guarded(self):
        return self._cards.guarded

    def step(self, event, credential, now):
        # As Backoff.step().
        if event == "tick":
            self._codes(event, now)
        elif is_code(credential):
            looks = self._codes(event, now)
            self.waits = event == "show" and not looks
            return looks
        looks = self._cards.step(event, credential, now)
        self.waits = self._cards.waits
        return looks

    def _codes(self, event, now):
        self._state, effects = code_limit.step(self._state, event, now)
        wrong = self._state[0]
        for effect in effects:
            if effect.startswith("lockout"):
                data = {"reader": self._cards.reader, "wrong": wrong}
                if effect == "lockout.entered":
                    data["seconds"] = code_limit.wait_ms(wrong) // 1000
                self._cards.log(effect, data)
        return "check" in effects

    def turn(self, now, uptime):
        wrong = min(self._state[0], _MOST)
        if wrong != self._kept:
            try:
                files.replace(self._path, str(wrong).encode())
                self._kept = wrong
            except OSError:
                pass  # tried again at the next turn

    def report(self, fields):
        pass
