# A door with a keypad: wrong codes are counted, kept over a power cut, and nothing to those who have a card.

from scratch import folder

from doorward_core.codes import credential
from doorward_node import files
from doorward_node.backoff import Backoff
from doorward_node.code_guard import CodeGuard

CARD = bytes.fromhex("04a1b2c3")
MINUTE = 60000


class Door:
    def __init__(self, path=None):
        self.path = path or folder() + "/codes"
        self.log = []
        self.guard = CodeGuard(self.path, Backoff(0, self._add), 0)

    def _add(self, kind, data):
        self.log.append((kind, data))

    def wrong(self, count, now=0, first=0):
        # How many of these were looked at.
        looked_at = 0
        for number in range(first, first + count):
            code = credential("%06d" % number)
            if self.guard.step("show", code, now):
                looked_at += 1
                self.guard.step("refused", code, now)
        return looked_at


def test_five_wrong_codes_close_the_keypad_and_no_card_waits():
    door = Door()
    assert door.wrong(50) == 5
    assert door.log == [("lockout.entered", {"reader": 0, "wrong": 5, "seconds": 60})]
    assert not door.guard.step("show", credential("471108"), 0) and door.guard.waits
    assert door.guard.step("show", CARD, 0) and not door.guard.waits
    assert not door.guard.guarded and not door.guard.held
    door.guard.step("tick", b"", MINUTE)
    assert door.log[1:] == [("lockout.cleared", {"reader": 0, "wrong": 5})]
    assert door.guard.step("show", credential("471108"), MINUTE)


def test_a_wait_that_is_ended_from_afar_is_worth_one_more_try():
    door = Door()
    assert door.guard.release(0, {"cause": "release"}) == "already"
    assert door.wrong(50) == 5
    assert door.guard.changed
    fields = {}
    door.guard.report(fields)
    assert 59 <= fields["hold_s"] <= 61
    assert door.guard.release(1000, {"cause": "release", "command_id": "c1"}) == "done"
    ended = {"cause": "release", "command_id": "c1", "reader": 0, "wrong": 5}
    assert door.log[1:] == [("lockout.cleared", ended)]
    door.guard.report({})
    assert door.guard.release(1000, {"cause": "release"}) == "already"
    # What was wrong goes on to count: one more, and the wait is twice as long.
    assert door.wrong(50, 1000, 60) == 1
    assert door.log[2] == ("lockout.entered", {"reader": 0, "wrong": 6, "seconds": 120})
    # And once: this wait ends by time alone, with a power cut or without.
    for _ in range(2):
        assert door.guard.release(1000, {"cause": "release"}) == "refused"
        door.guard.turn(1000, 1)
        door = Door(door.path)
        assert door.wrong(1) == 0
    door.guard.step("tick", b"", 2 * MINUTE)
    assert door.wrong(1, 2 * MINUTE) == 1
    assert door.log[-1] == ("lockout.entered", {"reader": 0, "wrong": 7, "seconds": 240})


def test_cutting_the_power_gives_no_wait_back_that_was_ended():
    door = Door()
    door.wrong(5)
    assert door.guard.release(0, {}) == "done"
    code = credential("471108")
    assert door.guard.step("show", code, 0)  # the power goes before the verdict
    door = Door(door.path)
    assert door.guard.release(0, {}) == "refused"
    # Firmware that knows nothing of it takes it for very many.
    assert files.read(door.path) == b"106"


def test_what_no_keypad_waits_for_is_not_reported():
    door = Door()
    fields = {}
    door.wrong(4)
    door.guard.report(fields)
    assert fields == {} and not door.guard.changed


def test_wrong_cards_do_not_close_the_keypad():
    door = Door()
    for number in range(20):
        card = number.to_bytes(4, "big")
        if door.guard.step("show", card, 0):
            door.guard.step("refused", card, 0)
    assert door.guard.guarded
    assert door.guard.step("show", credential("471108"), 0)


def test_a_wrong_code_is_charged_before_it_is_looked_at_and_stays_so():
    door = Door()
    for number in range(5):
        code = credential("%06d" % number)
        assert door.guard.step("show", code, 0)
        door.guard.turn(0, 0)  # while the gateway is asked
        assert files.read(door.path) == str(number + 1).encode()
        door = Door(door.path)  # the power went before the verdict
    assert not door.guard.step("show", credential("471108"), 0)
    door.guard.step("tick", b"", MINUTE)
    assert door.wrong(3, MINUTE, 9) == 1
    assert files.read(door.path) == b"6"


def test_a_right_code_gets_its_charge_back_when_nobody_waits():
    door = Door()
    door.wrong(2)
    right = credential("471108")
    assert door.guard.step("show", right, 0)
    assert files.read(door.path) == b"3"
    door.guard.step("granted", right, 0)
    assert files.read(door.path) == b"3"
    door.guard.turn(0, 0)
    assert files.read(door.path) == b"2"


def test_a_count_that_cannot_be_read_is_not_taken_for_none():
    door = Door()
    files.replace(door.path, b"\xff?")
    assert Door(door.path).wrong(3) == 0


def test_a_flash_that_takes_nothing_lets_no_code_be_tried_and_every_card():
    door = Door(folder() + "/missing/codes")
    assert door.wrong(5) == 0
    assert not door.guard.step("show", credential("471108"), 0) and door.guard.waits
    assert door.guard.step("show", CARD, 0) and not door.guard.waits
    assert not door.log
