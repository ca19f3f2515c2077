# What a motion sensor makes of its PIR: an event when somebody comes, a message when that changes,
# and what it reports.

from doorward_core import motion_messages


class Motion:
    # One of the parts and states of app.App. pir: drivers.pir.Pir; light: node.light.Light of the same
    # board, or None.
    def __init__(self, pir, light, app):
        self._pir = pir
        self._light = light
        self._app = app
        self._warm = False
        self._untold = False
        self.changed = False  # since the last report

    def tick(self, now):
        moved = self._pir.sample(now)
        if self._pir.warm != self._warm:
            self._warm = self.changed = True
        if not moved:
            return
        self.changed = self._untold = True
        if self._pir.on:
            # That it is over again needs no line of the log: flash wears.
            self._app.journal.add("motion", {})
        if self._light:
            self._light.moved(self._pir.on, self._app.link.up, now)

    def report(self, fields):
        # None while the sensor warms up.
        fields["motion"] = self._pir.on if self._warm else None

    def turn(self, now, _uptime):
        # While there is no link nothing waits: the report tells how it stands afterwards.
        if self._untold:
            self._untold = False
            app = self._app
            stamp = app.clock.stamp(now)[0]
            device = app.session.keys.device
            app.say(motion_messages.SENSORS, motion_messages.sensors(device, self._pir.on, stamp))
