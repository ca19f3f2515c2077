# What a board tells people by light and sound: which event plays what, in one table.
#
# An event plays at once, in the place of whatever was playing. What lasts (a lockout, a door that
# stands open, a link that is gone) is played again and again while nothing else is.

from doorward_core.compat import const, ticks_diff

# event, what the LED plays, what the buzzer plays ("" for nothing): patterns as drivers.pattern has
# them. Each differs from the others by its rhythm, too: a LED may have one colour alone.
#
# offline: granted by the board alone. again: show the card once more. wait: this card is not looked
# at yet. locked: nobody is let in now. Below them what lasts, the worst first. ending: of a lockout,
# its last ten seconds. key, cleared: on a keypad.
TABLE: str = """
granted|g1000|n120
offline|g600 -150 g150|n120 -60 n60
refused|r120 -80 *3|l120 -80 *3
key|g40|n40
cleared|r60|l60
again|rg400 -200 *2|n80 -120 *2
wait|r60 -60 *8|l80 -60 *4
locked|r1200|l600
lockout|r300 -700|
ending|r100 -150|
forced|r100 -100 *5|h100 -100 *5
held|rg300 -300 rg300 -900|n150 -1650
guarded|rg60 -140 rg60 -1740|
trouble|r60 -2940|
"""
_ENDING_MS = const(10000)
_LOOK_MS = const(250)
# A link that comes back by itself within this is nobody's business.
_PATIENCE_S = const(60)


def patterns(event):
    # What the LED and the buzzer play.
    at = TABLE.find("\n" + event + "|") + len(event) + 2
    led, sound = TABLE[at : TABLE.find("\n", at)].split("|")
    return led, sound


class Signals:
    # led, buzzer: a pattern.Player each, None without one. log(type, data): where events go on to.
    # One of the parts of app.App: tick(). Nothing of it before attach().
    def __init__(self, led, buzzer, log):
        self._players = (led, buzzer)
        self._log = log
        self._now = self._looked = self._heard = 0

    def attach(self, app, now):
        # app: who knows what lasts.
        self._app = app
        self._now = self._looked = now
        app.taps.turned_away = self.turned_away
        app.parts += (self,)

    def log(self, kind, data):
        # In the place of Journal.add: the log comes after the relay, and so does what people notice.
        self._log(kind, data)
        if kind == "access.decision":
            granted = "granted" if data["source"] == "gateway" else "offline"
            self.play(granted if data["granted"] else "refused", self._now)

    def turned_away(self, now):
        # Somebody showed what is not looked at now.
        gate = self._app.taps.gate
        self.play("locked" if gate.held else "wait" if gate.waits else "again", now)

    def play(self, event, now):
        for player, pattern in zip(self._players, patterns(event)):  # noqa: B905 - MicroPython's zip knows no strict
            if player:
                player.stop()
                if pattern:
                    player.play(pattern, now)

    def tick(self, now):
        self._now = now
        busy = False
        for player in self._players:
            if player:
                player.tick(now)
                busy = busy or player.playing()
        if not busy and ticks_diff(now, self._looked) >= _LOOK_MS:
            self._looked = now
            event = self._lasting(now)
            if event:
                self.play(event, now)

    def _lasting(self, now):
        app = self._app
        gate = app.taps.gate
        if gate.held:
            left = gate.left(now)
            return "lockout" if left is None or left > _ENDING_MS else "ending"
        alarm = app.doorway.report()[2]
        if alarm:
            return alarm
        if gate.guarded:
            return "guarded"
        uptime = app.clock.uptime(now)
        if app.link.up:
            self._heard = uptime
        return "trouble" if uptime - self._heard >= _PATIENCE_S else None
