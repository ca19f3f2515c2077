# flash.py  The chip's flash: a block device in a file, as LittleFS wants it (extended interface).
from time import sleep_ms

from lab_parts import link

# What esp32.Partition.find() finds.
partitions = []


class FileFlash:
    # path: an existing file; its size is the size of the flash, erased blocks may be holes.
    BLOCK = 4096

    def __init__(self, path):
        self._file = open(path, "r+b")  # noqa: SIM115 - as long as the chip has power
        self._blocks = self._file.seek(0, 2) // self.BLOCK
        self.reads = self.programs = self.erases = 0
        self._left = -1  # programs and erases until the power goes; negative: it stays
        self._torn = False
        self._stall_ms = 0

    def slow(self, words):
        # stall MS: an erase takes so long from here on, and nothing else goes on meanwhile
        self._stall_ms = int(words[1])

    def told(self, words):
        # cut N TORN: the power goes at the program or erase after the next N, torn: in its middle
        self._left = int(words[1])
        self._torn = words[2] == b"1"

    def readblocks(self, block, buffer, offset=0):
        self.reads += 1
        self._file.seek(block * self.BLOCK + offset)
        self._file.readinto(buffer)

    def writeblocks(self, block, buffer, offset=0):
        self.programs += 1
        self._file.seek(block * self.BLOCK + offset)
        if self.is_last():
            self._file.write(buffer[: len(buffer) // 2])
        self.spend()
        self._file.write(buffer)

    def ioctl(self, op, argument):
        if op == 4:
            return self._blocks
        if op == 5:
            return self.BLOCK
        if op == 6:
            self.erases += 1
            self.spend()
            if self._stall_ms:
                sleep_ms(self._stall_ms)
        return 0

    def is_last(self):
        # Whether this operation is one that the power cuts in half.
        return not self._left and self._torn

    def spend(self):
        if not self._left:
            link.send(b"cut")
            link.halt()
        self._left -= 1
