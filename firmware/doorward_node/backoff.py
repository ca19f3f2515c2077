# Who may try at a door's reader: doorward_core.backoff, and its two events in the log.
#
# In RAM: nothing is written while somebody waits at a door.

from doorward_core import backoff


class Backoff:
    # What Taps asks before and tells after a tap. reader: its number; log(type, data).
    def __init__(self, reader, log):
        self.reader = reader
        self.log = log
        self._state = backoff.State()

    def admit(self, credential, now):
        # True if this credential may be looked at now.
        return bool(self._step("show", credential, now))

    def settle(self, credential, granted, now):
        self._step("granted" if granted else "refused", credential, now)

    def tick(self, now):
        self._step("tick", b"", now)

    def _step(self, event, credential, now):
        turned_away = self._state.turned
        self._state, effects = backoff.step(self._state, event, credential, now)
        for effect in effects:
            if effect == "lockout.entered":
                self.log(effect, {"reader": self.reader, "attempts": self._state.refused})
            elif effect == "lockout.cleared":
                self.log(effect, {"reader": self.reader, "turned_away": turned_away})
        return effects
