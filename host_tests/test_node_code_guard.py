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


def test_wrong_cards_do_not_close_the_keypad():
    door = Door()
    for number in range(20):
        card = number.to_bytes(4, "big")
        if door.guard.step("show", card, 0):
            door.guard.step("refused", card, 0)
    assert door.guard.guarded
    assert door.guard.step("show", credential("471108"), 0)


def test_the_count_is_kept_and_written_when_nobody_waits():
    door = Door()
    door.wrong(5)
    assert files.read(door.path) is None
    door.guard.turn(0, 0)
    assert files.read(door.path) == b"5"
    again = Door(door.path)
    assert again.wrong(3) == 0
    again.guard.step("tick", b"", MINUTE)
    assert again.wrong(3, MINUTE, 9) == 1
    again.guard.turn(0, 0)
    assert files.read(door.path) == b"6"


def test_a_count_that_cannot_be_read_is_not_taken_for_none():
    door = Door()
    files.replace(door.path, b"\xff?")
    assert Door(door.path).wrong(3) == 0


def test_a_flash_that_takes_nothing_is_tried_again():
    door = Door(folder() + "/missing/codes")
    assert door.wrong(5) == 5
    door.guard.turn(0, 0)
    door.guard.turn(0, 0)
    assert not door.guard.step("show", credential("471108"), 0)
