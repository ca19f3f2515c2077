# partition.py  A flash partition beside that of the files, in a file of its own. Most boards have none.


class Nor:
    # An esp32.Partition in a file of erased cells: programs turn bits from 1 to 0, erases a block to 1.
    # power: the FileFlash with which it shares counts and cuts.
    BLOCK = 4096

    def __init__(self, path, power):
        self._file = open(path, "r+b")  # noqa: SIM115 - as long as the chip has power
        self._blocks = self._file.seek(0, 2) // self.BLOCK
        self._power = power

    def readblocks(self, block, buffer, offset=0):
        self._power.reads += 1
        self._file.seek(block * self.BLOCK + offset)
        self._file.readinto(buffer)

    def writeblocks(self, block, buffer, offset=None):
        if offset is None:  # as on the chip
            self.ioctl(6, block)
            offset = 0
        self._power.programs += 1
        cells = bytearray(len(buffer))
        self._file.seek(block * self.BLOCK + offset)
        self._file.readinto(cells)
        for at in range(len(cells)):
            cells[at] &= buffer[at]
        self._change(block * self.BLOCK + offset, cells)

    def ioctl(self, op, argument):
        if op == 4:
            return self._blocks
        if op == 5:
            return self.BLOCK
        if op == 6:
            self._power.erases += 1
            self._change(argument * self.BLOCK, b"\xff" * self.BLOCK)
        return 0

    def _change(self, at, cells):
        self._file.seek(at)
        if self._power.is_last():
            self._file.write(cells[: len(cells) // 2])
        self._power.spend()
        self._file.write(cells)
