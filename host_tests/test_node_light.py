# A lamp's part of the board: what it obeys, and what it is after a power cut. Both interpreters.

from scratch import folder
from support import raises

from doorward_core.compat import ticks_add
from doorward_core.messages import MessageError
from doorward_drivers.lamp import Lamp
from doorward_node.light import Light

START = (1 << 30) - 300


class Button:
    def __init__(self):
        self.on = False
        self._next = False

    def sample(self):
        changed = self._next != self.on
        self.on = self._next
        return changed


class Site:
    def __init__(self, path=None):
        self.path = path or folder() + "/light"
        self.now = START
        self.uptime = 0
        self.duty = [0]
        self.writes = 0
        self.lamp = Lamp((self.duty.append,), 400)
        self.button = Button()
        self.light = Light(self.lamp, self.button, self.path, self.now)

    def wait(self, seconds):
        # In the steps of the door's loop, with the background's beside it.
        for _ in range(int(seconds * 4)):
            self.now = ticks_add(self.now, 250)
            self.light.tick(self.now)
            self.uptime += 0.25
            before = _content(self.path)
            self.light.turn(self.now, int(self.uptime))
            self.writes += before != _content(self.path)

    def press(self):
        self.button._next = True
        self.wait(0.25)
        self.button._next = False
        self.wait(1)

    def level(self):
        fields = {}
        self.light.report(fields)
        return fields["light"]["level"], fields["light"]["cause"]


def _content(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def test_it_obeys_and_says_so():
    site = Site()
    site.wait(1)
    assert site.level() == (50, "start")
    assert site.light.command({"level": 80, "fade_ms": 1000}, site.now) == "done"
    site.wait(0.5)
    halfway = site.duty[-1]
    site.wait(1)
    assert site.duty[1] < halfway < site.duty[-1]
    assert site.level() == (80, "command") and site.light.changed
    site.light.command({"level": 0}, site.now)
    site.wait(1)
    assert site.duty[-1] == 0


def test_what_is_no_level_is_refused_and_changes_nothing():
    site = Site()
    for wrong in ({}, {"level": 101}, {"level": -1}, {"level": True}, {"level": "50"}):
        assert raises(MessageError, site.light.command, wrong, site.now).field == "level"
    for field, value in (("kelvin", 999), ("kelvin", None), ("fade_ms", 600001)):
        wrong = {"level": 10, field: value}
        assert raises(MessageError, site.light.command, wrong, site.now).field == field
    assert site.level() == (50, "start")


def test_a_button_switches_it_off_and_on_again_as_it_was():
    site = Site()
    site.light.command({"level": 30}, site.now)
    site.wait(1)
    site.press()
    assert site.level() == (0, "button") and site.duty[-1] == 0
    site.press()
    assert site.level() == (30, "button")


def test_after_a_power_cut_it_is_as_it_was():
    site = Site()
    site.light.command({"level": 30}, site.now)
    site.wait(11)
    site.press()
    site.wait(601)
    again = Site(site.path)
    assert again.level() == (0, "start")
    again.press()
    assert again.level() == (30, "button")


def test_a_lamp_that_changes_all_the_time_is_written_seldom():
    site = Site()
    for minute in range(60):
        site.light.command({"level": 20 + minute % 2}, site.now)
        site.wait(60)
    assert 1 <= site.writes <= 7
    site.wait(700)
    writes = site.writes
    site.wait(3600)
    assert site.writes == writes


def test_what_is_not_what_was_written_is_not_believed():
    site = Site()
    site.light.command({"level": 30}, site.now)
    site.wait(11)
    good = _content(site.path)
    for bad in (b"", b"90 0 90", good[:-1], b"99" + good[2:], b"x" * 40, good + b" 1"):
        with open(site.path, "wb") as file:
            file.write(bad)
        assert Site(site.path).level() == (50, "start"), bad
    with open(site.path, "wb") as file:
        file.write(good)
    assert Site(site.path).level() == (30, "start")


def test_its_own_motion_sensor_lights_it_while_the_gateway_is_away_alone():
    site = Site()
    site.light.command({"level": 70}, site.now)
    site.light.command({"level": 0}, site.now)
    site.light.moved(True, True, site.now)
    assert site.level() == (0, "command")
    site.light.moved(True, False, site.now)
    assert site.level() == (70, "motion")
    # The gateway came back meanwhile: what was lit here is put out here.
    site.light.moved(False, True, site.now)
    assert site.level() == (0, "motion")
    # What somebody else has switched on is theirs.
    site.press()
    site.light.moved(True, False, site.now)
    site.light.moved(False, False, site.now)
    assert site.level() == (70, "button")
