# The bolt's states, with a drive and a switch by hand.

from doorward_core.compat import ticks_add
from doorward_drivers.padlock import Padlock

WRAP = 1 << 30


class Drive:
    move_ms = 500

    def __init__(self, springs):
        self.springs = springs
        self.does = "rest"

    def lock(self):
        self.does = "lock"

    def unlock(self):
        self.does = "unlock"

    def de_energise(self):
        self.does = "rest"


class Switch:
    def __init__(self):
        self.on = True

    def sample(self):
        return False


class Bench:
    def __init__(self, springs=False, switch=True):
        self.drive = Drive(springs)
        self.switch = Switch() if switch else None
        self.part = Padlock(self.drive, self.switch)
        self.now = WRAP - 700
        self.seen = [self.part.state]

    def wait(self, ms):
        for _ in range(0, ms, 25):
            self.now = ticks_add(self.now, 25)
            if self.part.sample(self.now):
                self.seen.append(self.part.state)


def test_a_servo_moves_rests_and_is_believed_when_the_switch_says_so():
    bench = Bench()
    bench.part.unlock(bench.now)
    assert (bench.part.state, bench.drive.does) == ("moving", "unlock")
    bench.wait(200)
    assert bench.part.state == "moving"
    bench.switch.on = False
    bench.wait(25)
    assert (bench.part.state, bench.drive.does) == ("unlocked", "unlock")
    bench.wait(400)
    assert (bench.part.state, bench.drive.does) == ("unlocked", "rest")
    bench.part.lock(bench.now)
    bench.switch.on = True
    bench.wait(1000)
    assert (bench.part.state, bench.drive.does) == ("locked", "rest")
    assert bench.seen == ["locked", "unlocked", "locked"]


def test_a_bolt_that_does_not_follow_is_jammed_and_left_alone():
    bench = Bench()
    bench.part.unlock(bench.now)
    bench.wait(1475)
    assert bench.part.state == "moving"
    bench.wait(50)
    assert (bench.part.state, bench.drive.does) == ("jammed", "rest")
    bench.wait(60000)
    assert bench.part.state == "jammed"


def test_a_jam_ends_when_the_bolt_gets_there_or_with_a_command_that_is_followed():
    bench = Bench()
    bench.part.unlock(bench.now)
    bench.wait(2000)
    assert bench.part.state == "jammed"
    bench.switch.on = False
    bench.wait(25)
    assert bench.part.state == "unlocked"
    bench.part.lock(bench.now)
    bench.wait(2000)
    assert bench.part.state == "jammed"
    bench.part.unlock(bench.now)
    bench.wait(25)
    assert bench.part.state == "unlocked"


def test_a_bolt_that_is_forced_is_seen():
    bench = Bench()
    bench.switch.on = False
    bench.wait(25)
    assert bench.seen == ["locked", "unlocked"]


def test_a_solenoid_is_open_for_its_pulse_and_its_spring_locks_it():
    bench = Bench(springs=True)
    bench.part.unlock(bench.now)
    bench.wait(100)
    bench.switch.on = False
    bench.wait(100)
    assert (bench.part.state, bench.drive.does) == ("unlocked", "unlock")
    bench.wait(500)
    assert bench.drive.does == "rest"
    bench.switch.on = True
    bench.wait(25)
    assert bench.seen == ["locked", "unlocked", "locked"]


def test_a_solenoid_without_a_switch_is_open_for_its_pulse():
    bench = Bench(springs=True, switch=False)
    bench.part.unlock(bench.now)
    bench.wait(450)
    assert bench.part.state == "unlocked"
    bench.wait(50)
    assert (bench.part.state, bench.drive.does) == ("locked", "rest")
    assert bench.seen == ["locked", "unlocked", "locked"]


def test_a_servo_without_a_switch_is_believed():
    bench = Bench(switch=False)
    for command, state in ((bench.part.unlock, "unlocked"), (bench.part.lock, "locked")):
        command(bench.now)
        bench.wait(475)
        assert bench.part.state == "moving"
        bench.wait(25)
        assert (bench.part.state, bench.drive.does) == (state, "rest")


def test_a_second_command_takes_the_place_of_the_first():
    bench = Bench()
    bench.part.unlock(bench.now)
    bench.wait(300)
    bench.part.lock(bench.now)
    bench.wait(400)
    assert bench.drive.does == "lock"
    bench.wait(200)
    assert (bench.part.state, bench.drive.does) == ("locked", "rest")
