# The vault's bolt: moved by a servo or a solenoid, believed when its switch says so.

from doorward_core.compat import const, ticks_diff

# How long the switch may lag behind the movement.
_FOLLOW_MS = const(1000)


class Padlock:
    # drive: drivers.servo.Servo or drivers.solenoid.Solenoid. switch: what debounce makes, `on`
    # while the bolt is locked; None without one.
    #
    # state: "locked", "unlocked", "moving", or "jammed", when the switch did not follow. A jam ends
    # with the next command that is followed, or when the bolt gets there after all.
    def __init__(self, drive, switch):
        self.drive = drive
        self._switch = switch
        self._wanted = None  # while the switch has not confirmed it
        self._missed = None  # what a jam has kept it from
        self._moving = False
        self._began = 0
        self.state = "unlocked" if switch and not switch.on else "locked"

    def unlock(self, now):
        self.drive.unlock()
        self._begin("unlocked", now)

    def lock(self, now):
        self.drive.lock()
        self._begin("locked", now)

    def sample(self, now):
        # To be called at a steady pace. True if `state` has just changed.
        before = self.state
        gone = ticks_diff(now, self._began) if self._wanted or self._moving else 0
        if self._moving and gone >= self.drive.move_ms:
            self.drive.de_energise()
            self._moving = False
        if not self._switch:
            self._believe()
            return self.state != before
        self._switch.sample()
        actual = "locked" if self._switch.on else "unlocked"
        if actual == self._wanted:
            self._wanted = self._missed = None
        if self._wanted is None:
            # Also moved by hand, by its spring or by force.
            if self._missed is None or actual == self._missed:
                self._missed = None
                self.state = actual
        elif gone >= self.drive.move_ms + _FOLLOW_MS:
            self.state = "jammed"
            self._missed, self._wanted = self._wanted, None
        return self.state != before

    def _begin(self, wanted, now):
        self._wanted = wanted
        self._missed = None
        self._moving = True
        self._began = now
        self.state = "moving"

    def _believe(self):
        # Without a switch it is where it was sent; a solenoid's spring takes it back.
        if self._wanted is None:
            return
        if self.drive.springs:
            self.state = self._wanted if self._moving else "locked"
        elif not self._moving:
            self.state = self._wanted
        if not self._moving:
            self._wanted = None


def make(settings):
    # settings: driver, "servo" or "solenoid", with what its driver needs; switch: pin, locked, pull.
    import doorward_drivers
    from doorward_drivers import debounce

    switch = settings.get("switch")
    if switch:
        switch = debounce.Debounced(debounce.pin(switch), switch["locked"])
    return Padlock(doorward_drivers.make(settings["driver"], settings), switch)
