# The flash of a board in RAM, and the power that goes at any of its operations: for cut_cases.py.

import gc

import vfs
from nor import BLOCK, Nor, Sectors

ROOT = "/cut"
# Small ones, so that the log goes round often.
_SECTOR = 1024
BLOCKS = 32


# One piece, for all: a heap with many of them would soon have no room for the next.
_CELLS = bytearray(BLOCKS * BLOCK)
_SECTORS = bytearray(2 * BLOCK)


def erased(cells):
    for at in range(0, len(cells), BLOCK):
        cells[at : at + BLOCK] = b"\xff" * BLOCK
    return cells


class Files:
    # A flash with files. system: LittleFS, as boards have it; or FAT, which is a mutant.
    system = vfs.VfsLfs2

    def __init__(self):
        try:
            vfs.umount(ROOT)
        except OSError:
            pass  # the first time
        self.flash = (Sectors if self.system is vfs.VfsFat else Nor)(0, erased(_CELLS))
        self.system.mkfs(self.flash)
        self.mount()

    def again(self):
        # Power comes back: the same cells, and nothing else of before.
        self.flash = self.flash.again()
        vfs.umount(ROOT)
        self.mount()

    def mount(self):
        vfs.mount(self.system(self.flash), ROOT)


class Partition:
    def __init__(self):
        self.flash = Nor(0, erased(_SECTORS), True, _SECTOR)

    def again(self):
        self.flash = self.flash.again()


def new_tally():
    return {"cuts": 0, "acked_lost": 0, "unlocks_resumed": 0, "free_tries": 0, "half_updates": 0}


def wrong(tally):
    # How often something was not as it has to be.
    return sum([count for what, count in tally.items() if what != "cuts"])


def sweep(case, tally, wanted=None, kinds=(False, True)):
    # Cuts the power at every operation of case.work(), clean and torn, as kinds says; yields after each
    # cut. wanted(operation): only there. A check that fails raises, or adds to the tally.
    most = length(case)
    for torn in kinds:
        operation = 0
        while True:
            if wanted and operation < most and not wanted(operation):
                operation += 1
                continue
            gc.collect()
            at_work = case()
            if not _cut(at_work, tally, operation, torn):
                break
            yield
            operation += 1


def endure(case, tally, chance, cuts):
    # One board whose power goes again and again. chance(n): a number below n.
    most = length(case)  # before the board: all have the same cells
    at_work = case()
    for _ in range(cuts):
        gc.collect()
        _cut(at_work, tally, chance(most), chance(2))
        yield


def _cut(at_work, tally, operation, torn):
    # False if the work was over before that operation.
    at_work.on.flash.left, at_work.on.flash.torn = operation, torn
    try:
        at_work.work()
    except OSError:
        if not at_work.on.flash.dead:
            raise
    was_cut = at_work.on.flash.dead
    at_work.on.again()
    at_work.check(tally)
    tally["cuts"] += was_cut
    return was_cut


_lengths = {}


def length(case):
    # How many operations its work takes.
    if case not in _lengths:
        at_work = case()
        before = at_work.on.flash.operations()
        at_work.work()
        _lengths[case] = at_work.on.flash.operations() - before
    return _lengths[case]
