# Who may try at a door's reader: doorward_core.backoff, and its two events in the log.
#
# In RAM: nothing is written while somebody waits at a door.

from doorward_core import backoff


class Backoff:
    # What Taps asks before and tells after a tap. log(type, data).
    def __init__(self, reader, log):
        self.reader = reader
        self.log = log
        self._state = backoff.START

    def step(self, event, credential, now):
        # event: as backoff.step() has them. True for a "show" if this credential may be looked at.
        turned_away = self._state[2]
        self._state, effects = backoff.step(self._state, event, credential, now)
        for effect in effects:
            if effect != "check":
                self.log(effect, {"reader": self.reader, "turned_away": turned_away})
        return bool(effects)
