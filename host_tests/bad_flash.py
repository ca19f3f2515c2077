# Flash that fails in the ways that flash does: for what has to go on all the same.

from nor import Nor


class BadFlash(Nor):
    # raising: ("r", "w" or "e", sector) that answers with an error. silent: sectors that say they are erased.
    # deaf: sectors that say they did it, and hold what they held. stuck: cells that read 0 whatever is done.
    def __init__(self, sectors=0, cells=None):
        super().__init__(sectors, cells, True)
        self.raising = set()
        self.silent = set()
        self.deaf = set()
        self.stuck = set()

    def again(self):
        found = BadFlash(0, self.cells)
        found.raising, found.silent = self.raising, self.silent
        found.deaf, found.stuck = self.deaf, self.stuck
        return found

    def rot(self, at, size):
        size = min(size, len(self.cells) - at)
        self.cells[at : at + size] = bytes(size)

    def readblocks(self, block, buffer, offset=0):
        if ("r", block) in self.raising:
            raise OSError(5)
        return super().readblocks(block, buffer, offset)

    def writeblocks(self, block, buffer, offset=0):
        if ("w", block) in self.raising:
            raise OSError(5)
        if block in self.deaf:
            return 0
        answer = super().writeblocks(block, buffer, offset)
        for cell in self.stuck:
            if 0 <= cell - block * self.block - offset < len(buffer):
                self.cells[cell] = 0
        return answer

    def ioctl(self, operation, argument):
        if operation == 6:
            if ("e", argument) in self.raising:
                raise OSError(5)
            if argument in self.silent or argument in self.deaf:
                return 0
        return super().ioctl(operation, argument)
