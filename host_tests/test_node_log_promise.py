# One log for what matters and for what measures, on a partition: what matters is never driven out by what measures,
# whatever happens and in whichever order, and a log that forgets this is noticed.

import random

from log_life import Life, live
from nor import Nor
from one_log import on_flash

from doorward_node.ring import Ring

# A record of these tests has some 165 bytes.
_A_SECTOR = 23


class Board:
    def __init__(self, sectors):
        self.flash = Nor(sectors, partition=True)
        # The sectors that what measures may not take, but for the one that goes.
        self.half = (sectors - 2 - (sectors - 1) // 2) * _A_SECTOR - 2

    def open(self):
        self.flash = self.flash.again()
        return on_flash(self.flash)

    def cut(self, chance):
        self.flash.left, self.flash.torn = chance(40), chance(2) == 0
        return lambda: self.flash.dead


def lives(seeds, steps=12):
    lost = withheld = 0
    for seed in seeds:
        random.seed(seed)
        chance = random.randrange
        board = Board(random.choice((4, 5, 6, 8)))
        life = Life(board.open, board.half, _A_SECTOR)
        try:
            live(life, chance, steps, lambda board=board, chance=chance: board.cut(chance))
        except Exception:
            print("seed", seed)
            raise
        lost += len(life.gateway.gaps)
        withheld += life.unwritten
    return lost, withheld


def test_what_measures_never_drives_out_what_matters():
    lost, withheld = lives(range(24))
    assert lost > 10 and withheld > 200, (lost, withheld)


def _one_kind_after_the_other():
    # Nobody listens: what matters, much that measures, and again what matters, until the first of it has to go.
    for sectors in (4, 5, 6, 8):
        board = Board(sectors)
        life = Life(board.open, board.half, 0)
        for measures, count in ((False, 20), (True, 300), (False, 200)):
            for _ in range(count):
                life.note(measures)
        life.end()
        assert life.gateway.gaps


def test_what_matters_keeps_half_of_the_room_when_the_rest_came_first():
    _one_kind_after_the_other()


def _caught(crowded):
    kept = Ring.crowded
    Ring.crowded = crowded
    try:
        _one_kind_after_the_other()
        lives(range(24))
    except AssertionError:
        return True
    finally:
        Ring.crowded = kept
    return False


def test_a_log_without_the_rule_is_caught():
    assert _caught(lambda store: False)


def test_a_log_that_counts_its_room_wrong_is_caught():
    assert _caught(lambda store: (store.head - store.tail) % store.sectors >= store.sectors - 2)


def test_a_log_that_lets_in_nothing_that_measures_is_caught():
    # What was withheld is told as soon as there is room.
    assert _caught(lambda store: True)
