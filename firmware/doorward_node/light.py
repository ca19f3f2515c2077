# A lamp that obeys the gateway, a button beside it, and its own motion sensor while the gateway is
# away; and that shines after a power cut as it did before.
#
#   <path>     "<level> <kelvin> <level to come back to> <CRC-32, hex>", in percent and K
#
# Written ten seconds after the last change and ten minutes after the last time at the earliest:
# a lamp that follows the sun changes every minute, for years.

import binascii

from doorward_core.compat import const
from doorward_core.messages import number
from doorward_node import files

_SETTLE_S = const(10)
_APART_S = const(600)
_FADE_MS = const(400)
_LONGEST_FADE_MS = const(600000)
# Where nothing is known: enough to see by, and not dark.
_DEFAULT = (50, 0, 100)


class Light:
    # One of the parts and states of app.App. lamp: drivers.lamp.Lamp; button: what debounce makes, or
    # None.
    def __init__(self, lamp, button, path, now):
        self._lamp = lamp
        self._button = button
        self._path = path
        self._kept = _load(path)
        self._back = self._kept[2]  # the level that a button switches on again
        self._cause = "start"
        self._due = None  # uptime at which it is written
        self._next = 0
        self._by_motion = False
        self._dirty = False
        lamp.set(self._kept[0], now, _FADE_MS, self._kept[1] or None)
        self.changed = True

    def command(self, parameters, now):
        # "set_light": level in percent; kelvin and fade_ms may be left out. Raises MessageError.
        level = number(parameters, "level", 0, 100)
        kelvin = number(parameters, "kelvin", 1000, 20000) if "kelvin" in parameters else None
        fade = _FADE_MS
        if "fade_ms" in parameters:
            fade = number(parameters, "fade_ms", 0, _LONGEST_FADE_MS)
        self._set(level, now, "command", fade, kelvin)
        return "done"

    def moved(self, is_there, online, now):
        # With a link the gateway says what motion means. What was lit here is put out here.
        if is_there and not online and not self._lamp.percent():
            self._set(self._back, now, "motion")
            self._by_motion = True
        elif not is_there and self._by_motion:
            self._set(0, now, "motion")

    def tick(self, now):
        if self._button and self._button.sample() and self._button.on:
            self._set(0 if self._lamp.percent() else self._back, now, "button")
        self._lamp.tick(now)

    def report(self, fields):
        fields["light"] = {
            "level": int(self._lamp.percent()),
            "kelvin": self._lamp.kelvin() or None,
            "cause": self._cause,
        }

    def turn(self, _now, uptime):
        # Of the background's loop: the only one that touches flash.
        if self._dirty:
            self._dirty = False
            self._due = max(uptime + _SETTLE_S, self._next)
        if self._due is None or uptime < self._due:
            return
        self._due = None
        state = int(self._lamp.percent()), self._lamp.kelvin(), self._back
        if state != self._kept and _store(self._path, state):
            self._kept = state
            self._next = uptime + _APART_S

    def _set(self, level, now, cause, fade_ms=_FADE_MS, kelvin=None):
        self._lamp.set(level, now, fade_ms, kelvin)
        if level:
            self._back = level
        self._by_motion = False
        self._cause = cause
        self._dirty = self.changed = True


def _store(path, state):
    # False if flash takes nothing: then it is tried again with the next change.
    data = b"%d %d %d" % state
    try:
        files.replace(path, data + b" %08x" % binascii.crc32(data))
    except OSError:
        return False
    return True


def _load(path):
    # (level, kelvin, level to come back to) as they were written.
    data = files.read(path) or b""
    if data[-8:] == b"%08x" % binascii.crc32(data[:-9]) and data.count(b" ") == 3:
        level, kelvin, back = [int(word) for word in data.split(b" ")[:3]]
        return level, kelvin, back
    return _DEFAULT
