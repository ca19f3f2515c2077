# The strike's relay: one pin, a safe level, and a cap that nothing can talk it out of.

from time import ticks_ms

from doorward_core.compat import const, ticks_diff

_CAP_MS = const(10000)


class Strike:
    # "Energised" is a door that is released: active is the level that does it. cap_ms: the
    # longest it may stay so; enforce() watches it apart from whoever energised it. pin: an output
    # that is at its safe level already.
    def __init__(self, pin, active: int, cap_ms: int) -> None:
        self.active = active
        self._safe = 1 - active
        self.cap_ms = cap_ms
        self._since: "int | None" = None
        self.pin = pin

    def energise(self) -> None:
        # Energising twice does not start the time again.
        if self._since is None:
            self._since = ticks_ms()
        self.pin(self.active)

    def de_energise(self) -> None:
        self.pin(self._safe)
        self._since = None

    def energised_ms(self) -> int:
        # For how long the relay has been on; 0 when it is off.
        if self._since is None:
            return 0
        return ticks_diff(ticks_ms(), self._since)

    def enforce(self, limit_ms: int) -> bool:
        # Takes the relay back to its safe level if it has been on for limit_ms. True if it had to.
        if self._since is None or self.energised_ms() < limit_ms:
            return False
        self.de_energise()
        return True


def make(settings, cap_ms=_CAP_MS):
    # settings: pin; active, the level that switches the relay on; and fail.
    # fail: "secure" (a strike: it takes current to release the door) or "safe" (a magnet: it
    # takes current to lock it). boot.py reads the same three.
    from machine import Pin

    active = settings["active"]
    if settings.get("fail") == "safe":
        active = 1 - active
    # The level comes with the direction: an output that first takes a wrong level would be a click
    # of the relay at every boot.
    return Strike(Pin(settings["pin"], Pin.OUT, value=1 - active), active, cap_ms)
