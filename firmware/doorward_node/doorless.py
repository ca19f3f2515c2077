# What a board without a lock has where others have theirs: nothing that could open, nobody who waits.

import asyncio
from time import ticks_ms

from doorward_core.compat import const

_STEP_MS = const(500)


class Doorless:
    # In the place of a drivers.strike.Strike for the supervisor, and of a Doorway, Taps, Credentials
    # and ReaderWatch for app.App. log(type, data).
    cap_ms = 60000
    resets = 0
    held = guarded = waits = False
    config = None

    def __init__(self):
        self.alive = ticks_ms()
        self.gate = self
        self.tamper = None
        self.log = print  # until there is a log
        self.changed = True

    # --- as a strike

    def enforce(self, _limit_ms):
        return False

    def energised_ms(self):
        return 0

    def de_energise(self):
        pass

    # --- as a doorway

    def locked(self):
        return True

    def lock(self, _now):
        pass

    def release(self, _now, _cause, _seconds=0):
        return "refused"

    def report(self):
        return None, None, None

    # --- as taps and credentials

    def tick(self, _now, online=None):
        # Called as both: the lid is looked at once.
        if online is None and self.tamper and self.tamper.sample() and self.tamper.on:
            self.log("tamper", {})

    def pending(self):
        return False

    def answer(self, _nonce, _body, _now):
        return False

    def version(self):
        return 0

    def configure(self, _version, _body, _payload):
        pass

    def take(self, _version, _body):
        pass

    def store(self):
        return False

    def want(self, _uptime):
        return None

    # --- as a reader

    async def run(self):
        while True:
            self.alive = ticks_ms()
            await asyncio.sleep_ms(_STEP_MS)
