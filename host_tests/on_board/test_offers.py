# How long a board takes up an offer: whoever kept one back, or its last piece, has nothing of it later.

import json

from slots import ROOT
from test_bundles import GOOD, NOON, App, board, offer, piece

from doorward_core.messages import decode, encode
from doorward_node import update
from doorward_node.files import read, remove

PARTS = [GOOD[0]] + [GOOD[2][path] for path in sorted(GOOD[2])]
LENGTH = sum(map(len, PARTS))


class Pull:
    # One update, turn by turn; a turn is a quarter of a second.
    def __init__(self):
        self.at = board()
        for path in GOOD[2]:
            remove(ROOT + "/b/" + path)
        remove(ROOT + "/update.part")
        self.app = App()
        self.work = update.Update(ROOT)
        self.number = self.at.orders + 1
        self.turns = 0

    def turn(self, heard=None):
        self.turns += 1
        return self.work.turn(self.app, heard and (self.number, heard), self.turns // 4)

    def until_asked(self, heard, most=80):
        # What it asks for, or None when it is over; "" if it asks for nothing.
        said = b""
        while not said and most:
            said = self.turn(heard)
            heard = None
            most -= 1
        return json.loads(said)["offset"] if said else said

    def all_but_the_last(self):
        # Its last question.
        wanted = self.until_asked(offer(GOOD))
        while True:
            answer = piece(PARTS, wanted)
            size = len(json.loads(answer)["data"]) * 3 // 4
            if wanted + size >= LENGTH:
                return wanted
            wanted = self.until_asked(answer)

    def ends(self, heard=None):
        while self.turn(heard) is not None:
            heard = None
        self.work.close()
        return self.app.restarts


def test_what_is_fetched_in_time_is_installed():
    pull = Pull()
    last = pull.all_but_the_last()
    assert pull.ends(piece(PARTS, last))


def test_an_offer_that_was_kept_back_is_not_taken_up():
    pull = Pull()
    pull.app.time = NOON + 1
    assert pull.turn(offer(GOOD)) is None
    assert pull.app.told == ["late"]
    pull.app.time = NOON
    assert pull.until_asked(offer(GOOD)) == 0
    pull.work.close()


def test_a_version_of_two_words_would_spoil_what_the_board_notes_and_is_not_taken_up():
    pull = Pull()
    for version in ("9 0", "9\t0", "9\n", " ", ""):
        assert pull.turn(encode(dict(decode(offer(GOOD)), version=version))) is None
        assert pull.app.told.pop() == "field version", version
    assert read(ROOT + "/update") is None
    last = pull.all_but_the_last()
    assert pull.ends(piece(PARTS, last))
    assert len(read(ROOT + "/update").split()) == 5


def test_a_last_piece_that_was_kept_back_is_not_taken():
    pull = Pull()
    last = pull.all_but_the_last()
    # Who has it repeats what the board knows, so that it waits.
    while pull.turns < 1000:
        assert pull.turn(offer(GOOD)) is not None
    pull.app.time = NOON + 1
    assert pull.turn() is None
    assert pull.turn(piece(PARTS, last)) is None
    assert not pull.ends(offer(GOOD))
    assert pull.app.told == ["late"]


def test_before_it_knows_the_time_a_board_asks_for_nothing_and_takes_nothing():
    pull = Pull()
    pull.all_but_the_last()
    pull.work.close()
    pull.app.time = None
    assert pull.until_asked(offer(GOOD)) == b""
    wanted = LENGTH - len(PARTS[-1])  # a file that was not whole is begun anew
    assert pull.turn(piece(PARTS, wanted)) == b""
    pull.app.time = NOON
    assert pull.until_asked(None) == wanted
    while wanted:
        wanted = pull.until_asked(piece(PARTS, wanted))
    assert pull.app.restarts
