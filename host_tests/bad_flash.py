# Flash that fails in the ways that flash does: for what has to go on all the same.

from nor import Nor


class BadFlash(Nor):
    # raising: ("w" or "e", sector) that answers with an error. silent: sectors that say they are erased.
    # stuck: cells that read 0 whatever is done.
    def __init__(self, sectors=0, cells=None):
        super().__init__(sectors, cells, True)
        self.raising = set()
        self.silent = set()
        self.stuck = set()

    def again(self):
        found = BadFlash(0, self.cells)
        found.raising, found.silent, found.stuck = self.raising, self.silent, self.stuck
        return found

    def rot(self, at, size):
        size = min(size, len(self.cells) - at)
        self.cells[at : at + size] = bytes(size)

    def writeblocks(self, block, buffer, offset=0):
        if ("w", block) in self.raising:
            raise OSError(5)
        answer = super().writeblocks(block, buffer, offset)
        for cell in self.stuck:
            if 0 <= cell - block * self.block - offset < len(buffer):
                self.cells[cell] = 0
        return answer

    def ioctl(self, operation, argument):
        if operation == 6:
            if ("e", argument) in self.raising:
                raise OSError(5)
            if argument in self.silent:
                return 0
        return super().ioctl(operation, argument)
