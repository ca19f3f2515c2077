# A motion sensor's part of the board: what goes into the log, what is told, what is reported.

import json

from one_door import START, Site

from doorward_core.compat import ticks_add
from doorward_drivers.pir import Pir
from doorward_node.motion import Motion


class Light:
    def __init__(self):
        self.moves = []

    def moved(self, is_there, online, now):
        self.moves.append((is_there, online))


class Link:
    up = True


class App:
    # As much of app.App as the sensor uses; add() for its journal.
    def __init__(self, site):
        self.clock = site.clock
        self.session = site.session
        self.link = Link()
        self.journal = self
        self.log = []
        self.said = []

    def add(self, kind, data):
        self.log.append((kind, data))

    def say(self, suffix, body):
        self.said.append((suffix, json.loads(body)["motion_detected"]))


class Sensor:
    def __init__(self):
        self.now = START
        self.level = 0
        self.app = App(Site("hall"))
        self.light = Light()
        pir = Pir(lambda: self.level, 1, 2000, 5000, self.now)
        self.motion = Motion(pir, self.light, self.app)

    def wait(self, ms):
        for _ in range(ms // 25):
            self.now = ticks_add(self.now, 25)
            self.motion.tick(self.now)
            self.motion.turn(self.now, 0)

    def reported(self):
        fields = {}
        self.motion.report(fields)
        return fields["motion"]


def test_nobody_is_believed_before_it_is_warm():
    sensor = Sensor()
    sensor.level = 1
    sensor.wait(1500)
    assert sensor.reported() is None and sensor.app.log == []
    sensor.wait(1000)
    assert sensor.reported() is True and sensor.motion.changed


def test_one_event_a_visit_and_both_changes_are_told():
    sensor = Sensor()
    sensor.wait(2500)
    for _ in range(3):
        # It falls back between two movements of one person.
        sensor.level = 1
        sensor.wait(500)
        sensor.level = 0
        sensor.wait(2000)
    assert sensor.app.log == [("motion", {})]
    assert sensor.app.said == [("telemetry/sensors", True)]
    sensor.wait(5000)
    assert sensor.app.said == [("telemetry/sensors", True), ("telemetry/sensors", False)]
    assert sensor.app.log == [("motion", {})] and sensor.reported() is False


def test_the_lamp_beside_it_hears_whether_the_gateway_is_there():
    sensor = Sensor()
    sensor.wait(2500)
    sensor.app.link.up = False
    sensor.level = 1
    sensor.wait(100)
    sensor.app.link.up = True
    sensor.level = 0
    sensor.wait(6000)
    assert sensor.light.moves == [(True, False), (False, True)]
