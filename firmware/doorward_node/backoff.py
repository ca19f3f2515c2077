# Who may try at a door's reader: doorward_core.backoff, and its two events in the log.
#
# In RAM: nothing is written while somebody waits at a door.

from doorward_core import backoff


class Backoff:
    # What Taps asks before and tells after a tap. log(type, data). waits: whether what was turned
    # away last has to wait by itself, and not only to be shown again.
    held = False  # a door never locks: see lockout.py
    waits = False

    def __init__(self, reader, log):
        self.reader = reader
        self.log = log
        self._state = backoff.START

    @property
    def guarded(self):
        # Whether a card has to be shown twice.
        return self._state[0] != "calm"

    def step(self, event, credential, now):
        # event: as backoff.step() has them. True for a "show" if this credential may be looked at.
        turned_away = self._state[2]
        self._state, effects = backoff.step(self._state, event, credential, now)
        self.waits = "wait" in effects
        for effect in effects:
            if effect.startswith("lockout"):
                self.log(effect, {"reader": self.reader, "turned_away": turned_away})
        return "check" in effects
