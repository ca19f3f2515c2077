# What the app does in its turns, with hand-made parts around it.

import asyncio

from one_door import Site
from scratch import folder

import machine
from doorward_core import gateway_messages
from doorward_core.compat import ticks_add
from doorward_node import files
from doorward_node.app import App


class Link:
    up = True
    broken = False

    def __init__(self):
        self.sent = []

    def send(self, topic, payload, retain, qos):
        if self.broken:
            raise OSError("broken")
        self.sent.append(topic)


class Quiet:
    # A log with nothing to do, and a clock that counts how often it is asked.
    config = None
    asked = 0
    epoch = "00000000"
    seq = 0

    def add(self, kind, data):
        pass

    def flush(self):
        pass

    def store(self):
        return False

    def uptime(self, now):
        self.asked += 1
        return 0


def app(site, clock=None):
    quiet = Quiet()
    made = App(
        "d/", site.session, clock or site.clock, quiet, quiet, site.door, site.taps, site.now
    )
    made.attach(None, Link(), None)
    return made


async def test_the_clock_is_asked_in_every_turn_so_that_ticks_cannot_wrap_unseen():
    clock = Quiet()
    made = app(Site(), clock)
    made.link.up = False
    turns = asyncio.create_task(made._run_background())
    await asyncio.sleep_ms(200)
    turns.cancel()
    assert clock.asked >= 2


def test_a_request_that_cannot_be_sent_is_decided_at_once():
    site = Site()
    made = app(site)
    made.link.broken = True
    made.on_card(b"\x04\xa1\xb2\xc3")
    assert [data["source"] for data in site.decisions()] == ["board"]
    assert not site.taps.pending()


class Rtc:
    def __call__(self):
        return self

    def datetime(self, when=None):
        return (2000, 1, 1, 5, 0, 0, 0, 0)


def test_a_day_of_the_same_time_is_a_date_to_judge_certificates_by():
    machine.RTC = Rtc()
    site = Site()
    made = app(site)
    made.date = folder() + "/date"
    now = site.now
    for hour in range(26):
        utc = 1795257000 + hour * 3600
        nonce = made._time.open(now)
        made._on_time(nonce, gateway_messages.time_answer(utc, 0, 0, 0), now)
        kept = files.read(made.date)
        assert kept == (None if hour < 24 else str(1795257000 + 24 * 3600).encode()), hour
        now = ticks_add(now, 3600000)
    # A board without TLS judges nothing.
    plain = app(Site())
    assert plain.date is None
