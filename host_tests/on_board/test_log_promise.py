# As test_node_log_promise.py, in files of a LittleFS that is small and shared: the room that there is counts, not the
# number of segments, the power goes at any operation, and others find room beside a full log.

import gc
import random

import vfs
from log_life import Life, live
from nor import BLOCK, Nor
from one_log import in_files

ROOT = "/promise"
_A_SEGMENT = 16
# What LittleFS itself has, and what the log leaves to others.
_TAKEN = 4
_SPARE = 6


class Board:
    # others: blocks that other files have.
    def __init__(self, blocks, others):
        self.flash = Nor(blocks)
        self.half = ((blocks - others - _TAKEN - _SPARE) // 3 - 1) * _A_SEGMENT - 2
        vfs.VfsLfs2.mkfs(self.flash)
        vfs.mount(vfs.VfsLfs2(self.flash), ROOT)
        with open(ROOT + "/others", "wb") as file:
            for _ in range(others):
                file.write(b"x" * BLOCK)
        vfs.umount(ROOT)

    def open(self):
        # A new flash each time the power comes back: the cells stay.
        self.close()
        self.flash = self.flash.again()
        vfs.mount(vfs.VfsLfs2(self.flash), ROOT)
        return in_files(ROOT + "/log")

    def close(self):
        gc.collect()
        try:
            vfs.umount(ROOT)
        except OSError:
            pass  # the first time

    def cut(self, chance):
        self.flash.left, self.flash.torn = chance(60), chance(2) == 0
        return lambda: self.flash.dead


def test_what_measures_never_drives_out_what_matters_on_a_small_flash():
    lost = withheld = 0
    for seed in range(12):
        random.seed(seed)
        chance = random.randrange
        board = Board(*random.choice(((16, 0), (20, 4), (26, 8))))
        life = Life(board.open, board.half, _A_SEGMENT)
        try:
            live(life, chance, 14, lambda board=board, chance=chance: board.cut(chance))
        except Exception:
            print("seed", seed)
            raise
        finally:
            board.close()
        lost += len(life.gateway.gaps)
        withheld += life.unwritten
    assert lost > 3 and withheld > 100, (lost, withheld)


def test_beside_a_full_log_others_can_write():
    board = Board(32, 8)
    log = board.open()
    for number in range(700):
        log.add("door.forced", {"n": number})
        log.flush()
        with open(ROOT + "/lockout", "wb") as file:
            file.write(str(number).encode())
    with open(ROOT + "/other.new", "wb") as file:
        file.write(b"x" * (2 * BLOCK))
    assert log.store.seq == 700 and log.store.lost == 1
    board.close()
