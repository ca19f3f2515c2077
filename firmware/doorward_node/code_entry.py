# What is typed on a keypad: digits, "#" to finish, "*" to start over. Each key is heard and seen.

import asyncio
from time import ticks_ms

from doorward_core.codes import LONGEST, SHORTEST, credential
from doorward_core.compat import const, ticks_diff

_SAMPLE_MS = const(25)
# Digits of somebody who has gone are not the beginning of the next one's code.
_FORGET_MS = const(10000)


class CodeEntry:
    # keypad: sample() is the key that went down since, or None; on_code(credential) must not wait.
    # told: signals.Signals, or None. For app.App in the place of a reader: `alive` is the tick of the last step.
    resets = 0

    def __init__(self, keypad, on_code, told=None):
        self.keypad = keypad
        self.on_code = on_code
        self._told = told
        self.alive = self._last = ticks_ms()
        self._digits = ""

    async def run(self):
        while True:
            self.alive = ticks_ms()
            self.forget(self.alive)
            key = self.keypad.sample()
            if key:
                self.press(key, self.alive)
            await asyncio.sleep_ms(_SAMPLE_MS)

    def forget(self, now):
        # To be called all the time: ticks wrap, and old digits would look young again.
        if self._digits and ticks_diff(now, self._last) > _FORGET_MS:
            self._digits = ""
            self._tell("cleared", now)

    def press(self, key, now):
        self.forget(now)
        self._last = now
        self._tell("cleared" if key == "*" else "key", now)
        if key == "#":
            digits, self._digits = self._digits, ""
            if SHORTEST <= len(digits) <= LONGEST:
                self.on_code(credential(digits))
            elif digits:
                self._tell("refused", now)  # and charged to nobody: it is no code
        elif key == "*":
            self._digits = ""
        elif len(self._digits) <= LONGEST:
            # One too many is kept, so that it is too long.
            self._digits += key

    def _tell(self, event, now):
        if self._told:
            self._told.play(event, now)
