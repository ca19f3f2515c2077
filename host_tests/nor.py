# Flash cells in RAM, on both interpreters: a block device for LittleFS, one for FAT, or an esp32.Partition.

BLOCK = 4096


class Nor:
    # Programs turn bits from 1 to 0, erases a block to 1. left: operations until the power goes; torn:
    # the last one is half done. Without power nothing answers, and what is garbage may still want to
    # close its file. partition: raises as esp32.Partition does, where LittleFS wants a number.
    def __init__(self, blocks=0, cells=None, partition=False, block=BLOCK):
        self.cells = cells or bytearray(b"\xff" * (blocks * BLOCK))
        self.partition = partition
        self.block = block
        self.left = -1
        self.torn = False
        self.dead = False
        self.reads = self.programs = self.erases = 0

    def again(self):
        # The same cells after the power came back.
        return Nor(0, self.cells, self.partition, self.block)

    def operations(self):
        return self.programs + self.erases

    def readblocks(self, block, buffer, offset=0):
        if self.dead:
            return self._fail()
        self.reads += 1
        at = block * self.block + offset
        buffer[:] = self.cells[at : at + len(buffer)]
        return 0

    def writeblocks(self, block, buffer, offset=0):
        if self.dead:
            return self._fail()
        self.programs += 1
        at = block * self.block + offset
        size = len(buffer)
        wanted = int.from_bytes(bytes(buffer), "big")
        held = int.from_bytes(bytes(self.cells[at : at + size]), "big")
        return self._change(at, (wanted & held).to_bytes(size, "big"))

    def ioctl(self, operation, argument):
        if operation == 4:
            return len(self.cells) // self.block
        if operation == 5:
            return self.block
        if operation == 6:
            if self.dead:
                return self._fail()
            self.erases += 1
            return self._change(argument * self.block, b"\xff" * self.block)
        return 0

    def _change(self, at, data):
        size = len(data)
        self.dead = self.left == 0
        self.left -= 1
        if self.dead:
            size = size // 2 if self.torn else 0
        self.cells[at : at + size] = data[:size]
        return self._fail() if self.dead else 0

    def _fail(self):
        if self.partition:
            raise OSError(5)
        return -5


class Sectors(Nor):
    # For FAT, which knows nothing of erasing: who writes a sector erases it first.
    SIZE = 512

    def again(self):
        return Sectors(0, self.cells)

    def readblocks(self, block, buffer, offset=0):
        return super().readblocks(0, buffer, block * self.SIZE)

    def writeblocks(self, block, buffer, offset=0):
        at = block * self.SIZE
        if self.dead:
            return -5
        self.erases += 1
        return self._change(at, b"\xff" * len(buffer)) or super().writeblocks(0, buffer, at)

    def ioctl(self, operation, argument):
        return {4: len(self.cells) // self.SIZE, 5: self.SIZE}.get(operation, 0)
