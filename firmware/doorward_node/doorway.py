# One door: carries out what doorward_core.door decides, on the strike and from the contact.

from doorward_core import door
from doorward_core.compat import const

# The limits lie one behind the other: the door machine ends a pulse half a second before the
# cap, the supervisor a quarter, and the watchdog keeps the cap itself.
_MACHINE_MARGIN_MS = const(500)


class Doorway:
    # strike: drivers.strike.Strike; contact: what drivers.contact makes, or None; log(type, data).
    def __init__(self, strike, contact, settings: door.Settings, log, now: int) -> None:
        self.strike = strike
        self.contact = contact
        self.log = log
        self._cause: "dict[str, object]" = {}
        # What drivers.debounce makes, where there is an exit button, and a switch that sees the lid.
        self.rex = self.tamper = None
        self.apply(settings)
        self._state = door.start(bool(contact and contact.on), now, self._settings)
        self.changed = True

    def apply(self, settings) -> None:
        # settings: door.Settings, or a config of the gateway's.
        # The gateway may shorten the cap that the board was installed with, never lengthen it.
        cap = min(settings.cap_ms, self.strike.cap_ms) - _MACHINE_MARGIN_MS
        self._settings = door.Settings(min(settings.strike_ms, cap), cap, settings.held_ms)

    def release(self, now: int, cause: "dict[str, object]", seconds: int = 0) -> str:
        # Lets one person through. cause goes to the log; seconds 0: as long as the door is set to.
        # "done", or "already" if the door stands open.
        before = self._state.phase
        self._cause = cause
        self._step("grant", now, seconds * 1000 or None)
        if self._state.phase != "unlocked":
            return "already"
        if before == "unlocked":
            # Only the deadline has moved; who asked for it still has to hear of it.
            self._lock_changed()
        return "done"

    def locked(self) -> bool:
        return self._state.phase != "unlocked"

    def lock(self, now: int) -> None:
        self._step("relock", now, None)

    def tick(self, now: int) -> None:
        # A button that is held, or a lid that is off, while the board starts was not seen to change.
        if self.rex and self.rex.sample() and self.rex.on:
            self._step("rex", now, None)
        if self.tamper and self.tamper.sample() and self.tamper.on:
            self.log("tamper", {})
        if self.contact and self.contact.sample():
            self._step("opened" if self.contact.on else "closed", now, None)
        self._step("tick", now, None)

    def report(self) -> "tuple[str, str | None, str | None]":
        # (lock, contact, alarm) as board_messages.reported() takes them.
        phase = self._state.phase
        contact = None
        if self.contact:
            contact = "open" if self.contact.on else "closed"
        alarm = phase if phase in ("forced", "held") else None
        return phase if phase == "unlocked" else "locked", contact, alarm

    def _step(self, event: str, now: int, grant_ms: "int | None") -> None:
        before = self._state.phase
        self._state, effects = door.step(self._state, event, now, self._settings, grant_ms)
        for effect in effects:
            if effect == "energise":
                self.strike.energise()
            elif effect == "de-energise":
                self.strike.de_energise()
            elif effect == "lock.changed":
                self._lock_changed()
            else:
                self.log(effect, {})
        if effects or self._state.phase != before:
            self.changed = True

    def _lock_changed(self) -> None:
        locked = self.locked()
        data: "dict[str, object]" = {"locked": locked}
        if not locked:
            data.update(self._cause)
        self.log("lock.changed", data)
