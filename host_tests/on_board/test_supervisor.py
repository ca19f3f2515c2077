# Who is fed for, for how long, and what happens then: in ticks that the test moves, across their wrap.

import machine
from doorward_core.compat import ticks_add
from doorward_node import supervisor

LAST = (1 << 30) - 1


class Restarted(Exception):
    pass


class Chip:
    # machine, asyncio and the ticks for the module under test.
    def __init__(self, start):
        self.now = start
        self.fed = []
        self.period = 0
        self.plan = {}
        self.steps = 0

    def WDT(self, timeout):  # noqa: N802 - machine's
        self.period = timeout
        return self

    def feed(self):
        self.fed.append(self.steps)

    def reset(self):
        raise Restarted

    def ticks_ms(self):
        return self.now

    async def sleep_ms(self, ms):
        self.steps += 1
        self.now = ticks_add(self.now, ms)
        self.plan.get(self.steps, lambda: None)()
        for loop in self.loops:
            if loop.runs:
                loop.alive = self.now
        if self.steps >= self.most:
            raise Restarted


class Loop:
    runs = True

    def __init__(self, now):
        self.alive = now

    def stop(self):
        self.runs = False

    def go_on(self):
        self.runs = True


class Strike:
    cap_ms = 10000
    on_ms = 0
    overdue = False

    def energised_ms(self):
        return self.on_ms

    def enforce(self, limit_ms):
        return self.overdue


class App:
    restart = False

    def wants_restart(self):
        return self.restart


async def watch(plan, strike=None, steps=100, start=LAST - 1500, app=None):
    # (what ended it, the chip, its loops) after so many steps of 100 ms; plan(loops, strike) tells
    # what happens before which.
    chip = Chip(start)
    loops = [Loop(start), Loop(start)]
    strike = strike or Strike()
    app = app or App()
    app.watched = (("door", loops[0], "alive", 2000), ("link", loops[1], "alive", 5000))
    chip.loops, chip.most = loops, steps
    chip.plan = plan(loops, strike, app)
    kept = supervisor.machine, supervisor.asyncio, supervisor.ticks_ms
    supervisor.machine = supervisor.asyncio = chip
    supervisor.ticks_ms = chip.ticks_ms
    try:
        await supervisor._watch(app, strike)
    except (Restarted, RuntimeError) as error:
        return error, chip, loops
    finally:
        supervisor.machine, supervisor.asyncio, supervisor.ticks_ms = kept


async def test_fed_at_every_look_while_all_report_over_the_wrap():
    for start in (0, LAST - 1500, (LAST >> 1) - 1500):
        error, chip, _loops = await watch(lambda *_: {}, start=start)
        assert isinstance(error, Restarted) and chip.fed == list(range(100))
        assert chip.period == 5000


async def test_each_loop_alone_keeps_the_food_away_and_then_ends_it():
    for which, name, silent in ((0, "door", 20), (1, "link", 50)):
        error, chip, _loops = await watch(lambda loops, *_: {10: loops[which].stop})
        assert str(error) == name + ": silent", error
        # It was last heard at step 9; then nine looks without food, and at the tenth it is over.
        assert chip.fed == list(range(9 + silent))
        assert chip.steps == 9 + silent + 9


async def test_one_that_comes_back_in_time_is_forgiven():
    error, chip, _loops = await watch(
        lambda loops, *_: {10: loops[0].stop, 35: loops[0].go_on, 50: loops[0].stop}
    )
    assert str(error) == "door: silent"
    assert 35 in chip.fed and 30 not in chip.fed
    assert chip.steps == 49 + 20 + 9


async def test_nobody_is_fed_for_while_a_hang_could_outlast_the_cap():
    strike = Strike()
    strike.on_ms = 5001

    def plan(_loops, strike, _app):
        return {20: lambda: setattr(strike, "on_ms", 5000), 30: lambda: setattr(strike, "on_ms", 0)}

    _error, chip, _loops = await watch(plan, strike)
    assert chip.fed == list(range(20, 100))


async def test_a_strike_beyond_its_limit_ends_it():
    error, _chip, _loops = await watch(
        lambda loops, strike, app: {5: lambda: setattr(strike, "overdue", True)}
    )
    assert "strike" in str(error)


async def test_a_short_cap_has_a_short_watchdog_and_a_pulse_has_the_usual_one():
    for cap_ms, period in ((4000, 2000), (60000, 5000), (1500, 5000)):
        strike = Strike()
        strike.cap_ms = cap_ms
        _error, chip, _loops = await watch(lambda *_: {}, strike, 3)
        assert chip.period == period


async def test_a_restart_that_is_wanted_comes_at_once():
    app = App()
    error, chip, _loops = await watch(
        lambda loops, strike, app: {3: lambda: setattr(app, "restart", True)}, app=app
    )
    assert isinstance(error, Restarted) and chip.steps == 3


def test_it_looks_at_the_real_modules_otherwise():
    assert supervisor.machine is machine
