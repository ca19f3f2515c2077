# flash.py  The chip's flash: a block device in a file, as LittleFS wants it (extended interface).


class FileFlash:
    # path: an existing file; its size is the size of the flash, erased blocks may be holes.
    BLOCK = 4096

    def __init__(self, path):
        self._file = open(path, "r+b")  # noqa: SIM115 - as long as the chip has power
        self._blocks = self._file.seek(0, 2) // self.BLOCK
        self.reads = self.programs = self.erases = 0

    def readblocks(self, block, buffer, offset=0):
        self.reads += 1
        self._file.seek(block * self.BLOCK + offset)
        self._file.readinto(buffer)

    def writeblocks(self, block, buffer, offset=0):
        self.programs += 1
        self._file.seek(block * self.BLOCK + offset)
        self._file.write(buffer)

    def ioctl(self, op, argument):
        if op == 4:
            return self._blocks
        if op == 5:
            return self.BLOCK
        if op == 6:
            self.erases += 1
        return 0
