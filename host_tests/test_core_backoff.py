# A reader's back-off: what is looked at, and that junk costs a member one tap at most. Both interpreters.

from doorward_core import backoff
from doorward_core.compat import ticks_add

START = (1 << 30) - 500
MEMBER = b"\x04\xa1\xb2\xc3"
KNOWN = 8


def junk(number):
    return b"\x08" + number.to_bytes(3, "big")


class Reader:
    # A reader with its back-off, at a door that admits MEMBER alone.
    def __init__(self, state=None):
        self.now = START
        self.state = state or backoff.START
        self.looked_at = []
        self.log = []

    def step(self, event, credential=b""):
        self.state, effects = backoff.step(self.state, event, credential, self.now)
        self.log += [effect for effect in effects if effect != "check"]
        return effects

    def wait(self, ms):
        while ms > 0:
            self.now = ticks_add(self.now, min(ms, 1000))
            ms -= 1000
            self.step("tick")

    def tap(self, credential, after=600):
        # True: it was looked at and admitted, False: refused, None: turned away.
        self.wait(after)
        if "check" not in self.step("show", credential):
            return None
        self.looked_at.append(credential)
        self.step("granted" if credential == MEMBER else "refused", credential)
        return credential == MEMBER


def guarded():
    reader = Reader()
    for number in range(5):
        assert reader.tap(junk(number)) is False
    return reader


def test_five_refusals_in_a_row_and_it_begins():
    reader = Reader()
    for number in range(4):
        reader.tap(junk(number))
    assert reader.log == []
    reader.tap(junk(4))
    assert reader.log == ["lockout.entered"]
    assert reader.tap(junk(5)) is None and reader.tap(junk(5)) is False
    assert reader.log == ["lockout.entered"]


def test_a_member_in_between_begins_the_count_anew():
    reader = Reader()
    for number in range(40):
        if number % 4 == 0:
            assert reader.tap(MEMBER)
        reader.tap(junk(number))
    assert reader.log == []


def test_a_member_passes_at_the_second_tap_and_that_ends_it():
    reader = guarded()
    assert reader.tap(MEMBER) is None
    assert reader.tap(MEMBER) is True
    assert reader.log == ["lockout.entered", "lockout.cleared"]
    assert reader.tap(MEMBER) is True


def test_a_minute_without_anybody_ends_it():
    reader = guarded()
    reader.wait(59000)
    assert reader.log == ["lockout.entered"]
    reader.wait(1000)
    assert reader.log == ["lockout.entered", "lockout.cleared"]
    assert reader.tap(junk(99)) is False


def test_who_goes_on_does_not_outwait_it():
    reader = guarded()
    for number in range(100, 140):
        assert reader.tap(junk(number), after=30000) is None
    assert reader.log == ["lockout.entered"]
    assert reader.state[2] == 40


def test_a_thousand_junk_taps_cost_a_member_one_tap():
    for when in range(0, 1000, 37):
        reader = Reader()
        for number in range(when):
            reader.tap(junk(number))
        first = reader.tap(MEMBER)
        for number in range(KNOWN - 1):
            reader.tap(junk(5000 + number))
        assert first is True or reader.tap(MEMBER) is True


def test_junk_is_looked_at_at_the_second_showing_alone():
    once, twice = Reader(), Reader()
    for number in range(1000):
        once.tap(junk(number))
        twice.tap(junk(number // 2))
    assert once.looked_at == [junk(number) for number in range(5)]
    assert len(twice.looked_at) <= 5 + 500


def test_one_credential_on_end_waits_longer_and_longer_and_no_other_does():
    reader = guarded()
    reader.wait(60000)
    waits = []
    waited = 0
    for _ in range(600):
        reader.now = ticks_add(reader.now, 250)
        waited += 250
        if "check" in reader.step("show", junk(7)):
            reader.step("refused", junk(7))
            waits.append(waited)
            waited = 0
    assert waits == [250, 250, 250, 2000, 4000, 8000, 16000, 32000, 64000]
    assert reader.tap(MEMBER) is True or reader.tap(MEMBER) is True


def test_after_six_days_of_ticks_nobody_waits_for_ever():
    reader = Reader(("guarded", 5, 0, ((MEMBER, 9, START),), None))
    reader.now = ticks_add(START, (1 << 29) + 1000)
    assert reader.tap(MEMBER) is True


def test_what_it_remembers_is_bounded():
    reader = Reader()
    for number in range(1000):
        reader.tap(junk(number))
        reader.tap(junk(number))
        assert len(reader.state[3]) <= KNOWN
