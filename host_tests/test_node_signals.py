# What a board shows and sounds, from the tap to the pins of its light. Both interpreters.

from one_door import UID, Site, answer, time_is

from doorward_core import access, patterns, schedule, topics
from doorward_core.compat import ticks_add
from doorward_drivers import pattern
from doorward_node import signals
from doorward_node.signals import Signals

EVENTS = [line.split("|")[0] for line in signals.TABLE.strip().split("\n")]
LASTING = ("lockout", "ending", "forced", "held", "guarded", "trouble")


class Player(pattern.Player):
    # Remembers what was played, and what was on.
    def __init__(self):
        self.played = []
        super().__init__(lambda what: None)

    def play(self, text, now):
        self.played.append(text)
        super().play(text, now)


class Link:
    up = True


class App:
    # As much of app.App as signals look at.
    def __init__(self, site):
        self.taps = site.taps
        self.doorway = site.door
        self.clock = site.clock
        self.link = Link()
        self.parts = ()


class Told(Site):
    # A door that tells people.
    def __init__(self):
        super().__init__()
        self.led = Player()
        self.buzzer = Player()
        self.signals = Signals(self.led, self.buzzer, self.note)
        self.taps.log = self.signals.log
        self.app = App(self)
        self.signals.attach(self.app, self.now)

    def wait(self, ms, online=True):
        while ms > 0:
            super().wait(25, online)
            self.signals.tick(self.now)
            ms -= 25

    def tells(self, event):
        led, sound = signals.patterns(event)
        assert self.led.played[-1] == led, (event, self.led.played)
        return not sound or self.buzzer.played[-1] == sound

    def shown(self, uid, granted):
        word = self.tap(uid)
        if word:
            self.hear(topics.ACCESS_RESPONSE, answer(self.keys, word, granted))
        self.wait(50)


def junk(number):
    return b"\x08" + number.to_bytes(3, "big")


def guarded():
    site = Told()
    for number in range(5):
        site.shown(junk(number), False)
        assert site.tells("refused")
    return site


def test_every_pattern_of_the_table_can_be_played():
    for event in EVENTS:
        led, sound = signals.patterns(event)
        assert led
        for text in (led, sound):
            if text:
                patterns.parse(text)


def test_no_two_events_have_the_same_rhythm():
    # A light of one colour shows every letter alike.
    rhythms = []
    for event in EVENTS:
        steps, times = patterns.parse(signals.patterns(event)[0])
        rhythm = [(bool(what), ms) for what, ms in steps], times
        assert rhythm not in rhythms, event
        rhythms.append(rhythm)


def test_a_grant_a_refusal_and_a_decision_of_the_board_alone():
    site = Told()
    site.shown(UID, True)
    assert site.tells("granted")
    site.shown(UID, False)
    assert site.tells("refused")
    site = Told()
    site.app.link.up = False
    site.records.known[UID] = access.Credential(1, 1, schedule.ALWAYS)
    time_is(site, 1767225600 - 946684800)
    assert site.tap(UID, False) is None
    site.wait(25)
    assert site.tells("offline")


def test_who_is_turned_away_is_told_to_show_the_card_again():
    site = guarded()
    assert site.tap(UID) is None
    assert site.tells("again")
    site.shown(UID, True)
    assert site.tells("granted") and site.strike.moves[:1] == [1]


def test_a_card_that_waits_by_itself_is_told_so():
    site = guarded()
    for _ in range(5):
        site.shown(junk(9), False)
    assert site.tells("wait")


def test_what_lasts_is_shown_until_it_is_over():
    site = guarded()
    site.wait(2000)
    assert site.tells("guarded")
    site.wait(61000)
    count = len(site.led.played)
    site.wait(5000)
    assert len(site.led.played) == count

    site.contact.move(True)
    site.wait(100)
    assert site.tells("forced")
    site.wait(1500)
    assert site.buzzer.played.count(signals.patterns("forced")[1]) > 1
    site.contact.move(False)
    site.wait(2000)
    count = len(site.led.played)
    site.wait(2000)
    assert len(site.led.played) == count


def test_a_link_that_is_gone_for_a_minute_is_told_and_for_less_not():
    site = Told()
    site.app.link.up = False
    site.wait(58000, False)
    assert site.led.played == []
    site.wait(3000, False)
    assert site.tells("trouble")
    site.app.link.up = True
    site.wait(4000)
    count = len(site.led.played)
    site.wait(10000)
    assert len(site.led.played) == count


class Held:
    # The gate of a vault that lets nobody try.
    held = True
    guarded = waits = False

    def __init__(self, site, ms):
        self.site = site
        self.ms = ms

    def step(self, event, credential, now):
        return False

    def left(self, now):
        return self.ms


def test_a_lockout_is_shown_with_its_end():
    site = Told()
    site.taps.gate = Held(site, 30000)
    assert site.tap(UID) is None
    assert site.tells("locked")
    site.wait(2000)
    assert site.tells("lockout")
    site.taps.gate.ms = 9000
    site.wait(1500)
    assert site.tells("ending")
    site.taps.gate.ms = None
    site.wait(1500)
    assert site.tells("lockout")


def test_a_pattern_ends_when_another_begins():
    site = Told()
    site.signals.play("refused", site.now)
    assert site.buzzer.playing()
    site.now = ticks_add(site.now, 25)
    site.signals.play("lockout", site.now)
    assert not site.buzzer.playing() and site.led.playing()
