# A flash that takes nothing more, because it is full or because it fails: the door opens as ever, what was not written
# is counted, and told when the flash takes something again. The relay's edges are the witness.

import json

import vfs
from cut_cases import Unlock
from cut_sweep import ROOT
from nor import BLOCK, Nor

EIO = 5
TURNS = 2000


class Refusing(Nor):
    refuses = False

    def writeblocks(self, block, buffer, offset=0):
        return -EIO if self.refuses else super().writeblocks(block, buffer, offset)

    def ioctl(self, operation, argument):
        if operation == 6 and self.refuses:
            return -EIO
        return super().ioctl(operation, argument)


class Board(Unlock):
    def __init__(self):
        super().__init__()
        vfs.umount(ROOT)
        self.on.flash = Refusing(0, self.on.flash.cells)
        self.on.mount()

    def note_kinds(self):
        store = self.log.store
        bodies = [store.body(seq) for seq in range(store.settled[0] + 1, store.seq + 1)]
        return [json.loads(body) for body in bodies]

    def taps(self):
        # How often the relay was energised for two members and a stranger.
        before = self.released()
        for number in (7, 8, 200):
            self.site.tap(number.to_bytes(7, "big"), online=False)
            self._turns(60)
        return self.released() - before


def _fill(board):
    with open(ROOT + "/filling", "wb") as file:
        try:
            while True:
                file.write(b"x" * BLOCK)
                file.flush()
        except OSError:
            pass


def test_with_a_flash_that_fails_the_door_opens_and_what_was_not_written_is_told():
    board = Board()
    board._boot()
    assert board.taps() == 2
    held = board.log.store.seq
    board.on.flash.refuses = True
    assert board.taps() == 2
    assert board.log.store.seq == held and board.log._dropped > 0
    assert board.log.upload(), "what it holds is told all the same"
    dropped = board.log._dropped
    board.on.flash.refuses = False
    for _ in range(TURNS):
        board.log.flush()
    assert board.note_kinds()[-1]["data"] == {"count": dropped}
    board.close()


def test_with_a_full_flash_the_door_opens_and_its_log_takes_the_place_of_its_oldest():
    board = Board()
    board._boot()
    for _ in range(40):
        board.log.add("door.forced", {})
        board.log.flush()
    _fill(board)
    held = board.log.store.seq
    assert board.taps() == 2
    kinds = [event["type"] for event in board.note_kinds()]
    assert board.log.store.seq > held and "access.decision" in kinds
    assert board.taps() == 2 and board.log._dropped == 0
    board.close()
