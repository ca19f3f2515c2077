# Parts that keep ticks, after more than half a period of them in which little or nothing happened.
#
# 2^30 ms are 12.4 days; what lies 6.2 days back looks as if it were still to come.

import asyncio

from one_door import Site, answer, time_is

from doorward_core import seal, topics
from doorward_core.compat import ticks_add
from doorward_node import link, vault_app

HOUR_MS = 3600000
DAYS = (7, 9, 12, 13, 20)


class Time:
    # asyncio and the ticks of a module under test: every sleep is an hour.
    def __init__(self, hours):
        self.now = (1 << 30) - 12345
        self.left = hours
        self.slept = []

    def ticks_ms(self):
        return self.now

    def create_task(self, coroutine):
        return asyncio.create_task(coroutine)

    def current_task(self):
        return asyncio.current_task()

    async def sleep_ms(self, ms):
        self.slept.append(ms)
        self.now = ticks_add(self.now, HOUR_MS)
        self.left -= 1
        await asyncio.sleep(0)


def age(site, days):
    # As the door's loop does, only more seldom.
    for _ in range(days * 24):
        site.now = ticks_add(site.now, HOUR_MS)
        site.door.tick(site.now)
        site.taps.tick(site.now, True)
        site.commands.expire(site.now)
        site.clock.uptime(site.now)


def test_a_quiet_door_opens_and_relocks_as_on_the_first_day():
    for days in DAYS:
        site = Site()
        time_is(site, 1795257000)
        age(site, days)
        assert site.clock.utc(site.now) == 1795257000 + days * 86400
        word = site.tap()
        site.hear(topics.ACCESS_RESPONSE, answer(site.keys, word))
        assert site.strike.moves[-1] == 1, days
        site.wait(2900)
        assert site.strike.moves[-1] == 1
        site.wait(200)
        assert site.strike.moves[-1] == 0


def test_a_door_that_stood_open_for_weeks_is_held_once_and_closes():
    for days in DAYS:
        site = Site()
        site.hear(topics.ACCESS_RESPONSE, answer(site.keys, site.tap()))
        site.contact.move(True)
        age(site, days)
        site.contact.move(False)
        site.wait(100)
        kinds = [kind for kind, _ in site.log]
        assert kinds.count("door.held") == 1 and kinds[-1] == "door.closed", kinds
        assert site.strike.moves[-1] == 0


def test_an_old_question_is_no_younger_after_the_wrap():
    for days in DAYS:
        site = Site()
        word = site.tap()
        nonce = seal.parse_freshness(word)[1]
        age(site, days)
        assert not site.taps._nonce.take(nonce, site.now)


async def test_a_link_that_lasted_for_weeks_comes_back_at_once():
    for days in DAYS:
        time = Time(days * 24)
        kept = link.asyncio, link.ticks_ms
        link.asyncio, link.ticks_ms = time, time.ticks_ms
        try:
            one = link.Link("old", "127.0.0.1")
            one._pause = 8000

            async def lasting():
                one.up = True
                while time.left > 0:
                    one._heard = one._spoke = time.now
                    one._asked = None
                    await asyncio.sleep(0)
                one.up = False

            one._converse = lambda _clean: lasting()
            await one._attend(False)
            assert one._pause == 250, days
        finally:
            link.asyncio, link.ticks_ms = kept


class Gate:
    held = True
    hold_ms = 30000
    attempts = 0


def test_a_vault_that_was_offline_for_weeks_counts_its_processor_from_now_on():
    for days in DAYS:
        time = Time(0)
        kept = vault_app.ticks_ms
        vault_app.ticks_ms = time.ticks_ms
        app = object.__new__(vault_app.VaultApp)
        app.gate = Gate()
        app._connects = app._turns = 0
        app._measured = time.now
        for _ in range(days * 24):
            time.now = ticks_add(time.now, HOUR_MS)
        app._on_up()
        vault_app.ticks_ms = kept
        assert app._measured == time.now and app._turns == 0
