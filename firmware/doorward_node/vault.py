# One vault: carries out what doorward_core.padlock decides, as long as there are tries left.

from doorward_core import lockout, padlock

_SAID = {"locked": "bolted", "unlocked": "slipped", "jammed": "jammed"}
_ERRORS = {"jammed": "PADLOCK JAMMED", "forced": "PADLOCK FORCED"}


class Vault:
    # For app.App in the place of a Doorway. bolt: drivers.padlock.Padlock; gate: node.lockout.Lockout;
    # settings: as apply() takes them; log(type, data).
    def __init__(self, bolt, gate, settings, log, now):
        self.bolt = bolt
        self.gate = gate
        self.log = log
        self.cap_ms = settings.cap_ms
        self._cause = {}
        self.tamper = None  # the switch of its lid, if there is one
        self.apply(settings)
        self._state = padlock.start(now)
        bolt.lock(now)
        self._held = False
        self.changed = True

    def apply(self, settings):
        # settings: strike_ms and cap_ms, as a door has them. The gateway may shorten the cap that the
        # board was installed with, never lengthen it.
        cap = min(settings.cap_ms, self.cap_ms)
        self._settings = padlock.Settings(min(settings.strike_ms, cap), cap)

    def release(self, now, cause, seconds=0):
        # Unlocks for a while. cause goes to the log; seconds 0: as long as is set. "done", or
        # "refused" while there are no tries left: whoever was admitted before was admitted in vain.
        if self.gate.held:
            return "refused"
        self._cause = cause
        self._step("grant", now, seconds * 1000 or None)
        return "done"

    def locked(self):
        return self._state.phase != "unlocked"

    def lock(self, now):
        self._step("relock", now, None)

    def tick(self, now):
        if self.tamper and self.tamper.sample() and self.tamper.on:
            self.log("tamper", {})
        if self.gate.held != self._held:
            self._held = self.gate.held
            self.changed = True
            print("doorward:", *self.status())
        if self._held and not self.locked():
            self.lock(now)
        if self.bolt.sample(now) and self.bolt.state in _SAID:
            self._step(_SAID[self.bolt.state], now, None)
        self._step("tick", now, None)

    def report(self):
        # (lock, contact, alarm) as board_messages.reported() takes them.
        phase = self._state.phase
        alarm = {"forced": "forced", "jammed": "held"}.get(phase)
        return "locked" if phase in ("locked", "forced") else "unlocked", None, alarm

    def status(self):
        # (state, error): a seed's words.
        phase = self._state.phase
        if self.gate.held:
            return lockout.STATE, lockout.ERROR
        return "LOCKED" if phase == "locked" else "UNLOCKED", _ERRORS.get(phase)

    def _step(self, event, now, grant_ms):
        before = self._state.phase
        self._state, effects = padlock.step(self._state, event, now, self._settings, grant_ms)
        for effect in effects:
            if effect == "unlock":
                self.bolt.unlock(now)
            elif effect == "lock":
                self.bolt.lock(now)
            elif effect == "lock.changed":
                data = {"locked": self._state.phase == "locked"}
                if event == "grant":
                    data.update(self._cause)
                self.log(effect, data)
            else:
                self.log(effect, {})
        if effects or self._state.phase != before:
            self.changed = True
