# Where the log is kept in a flash partition of its own, as NOR flash wants it: see journal.py.
#
# The partition is a ring of sectors. One record is one program, and one sector one erase; bits only
# go from 1 to 0, and a record that the power cut in half is told by its CRC. All is big-endian.
#
#   header 44: magic "DWL1", epoch 4, turn u32 (counts the sectors begun), first u32 (number of the
#              sector's first event), settled u32 and lost i32 (as they were when it was begun),
#              digest 16 (of the event before the first), CRC-32 of all that
#   record:    length of the body u16, CRC-32 over its number and it, body
#
# The sector after the newest is kept erased. So that a new one says what was given up before the
# oldest, which makes room for the next, is gone. What was written is read again: a sector that does not hold it
# is passed over, and its turn with it. Until something holds again, that costs one sector of the log at most.

import binascii
import struct
from errno import EIO

from doorward_core import seal
from doorward_core.compat import const
from doorward_node import forget

_MAGIC = b"DWL1"
_HEADER = const(44)
_RECORD = const(6)
_PIECE = const(256)


class Ring:
    # flash: an esp32.Partition of four sectors or more, or anything with its three methods.
    def __init__(self, flash) -> None:  # type: ignore[no-untyped-def]
        from doorward_node.ring_start import start

        self.flash = flash
        self.sectors = flash.ioctl(4, 0)
        self.size = flash.ioctl(5, 0)
        self.epoch = ""
        self.seq = self.lost = 0
        self.settled = (0, seal.CHAIN_START)
        # The newest sector: where it is, its header as header() has it, where the next record goes, the digest there.
        self.head = self.at = 0
        self.newest = (0, 1, 0, 0, seal.CHAIN_START, b"")
        self.digest = seal.CHAIN_START
        # The oldest sector, and the first event of the one after it: 0 if there is none.
        self.tail = self.tail_ends = 0
        # Sectors after the newest that have failed since.
        self._bad = 0
        self._risked = False  # one that held something was erased for a try that failed
        start(self)
        forget("ring_start")
        self._rewind()

    def append(self, body: bytes) -> None:
        seq = self.seq + 1
        record = struct.pack(">HI", len(body), check(seq, body)) + body
        if self.at + len(record) > self.size:
            self._begin()
        at = self.at
        self.at = self.size  # half a record may stand there: what follows goes into another sector
        self.flash.writeblocks(self.head, record, at)
        if self.record(self.head, at, seq) is None:
            raise OSError(EIO)
        self.at = at + len(record)
        self.seq = seq
        self.digest = seal.chain(self.digest, self.epoch, seq, body)

    def body(self, seq: int) -> "bytes | None":
        if seq < self._next:
            self._rewind()
        while True:
            found = self.record(self._sector, self._offset, self._next)
            if found is None:
                if not self._follow(seq):
                    return None
                continue
            self._offset += _RECORD + len(found)
            self._next += 1
            if self._next > seq:
                return found

    def skip(self, seq: int) -> None:
        # All that is left of its sector, whose end nobody can see.
        self.lost = self.lost or seq
        place, after = self._find(seq)
        if place[1][1] > seq:
            after = place  # not even the header of its own is left
        if after:
            self.settled = after[1][1] - 1, after[1][4]
            self._start_at(after[0])
            return
        self.settled = self.seq, self.digest
        self.at = self.size
        self._start_at(self.head)

    def overtake(self, seq: int, first: int, epoch: str) -> None:
        # The next sector's header says it, and no sooner is anything told.
        self.epoch = epoch
        self.seq = seq
        self.settled = seq, self.digest
        self.lost = -first
        self.at = self.size

    def settle(self, seq: int, digest: bytes) -> None:
        # Nothing is written: the next sector's header says it, and until then it comes again.
        self.settled = seq, digest
        self.lost = 0
        while self.tail_ends and self.tail_ends <= seq + 1:
            found = self._after(self.tail)
            if not found or found[1][1] > seq + 1:
                return  # its cells went bad meanwhile: skip()
            self._start_at(found[0])

    def crowded(self) -> bool:
        # One is always empty; before the first is begun, the newest lies before the oldest.
        return (
            self.newest[0] > 0 and (self.head - self.tail) % self.sectors >= (self.sectors - 1) // 2
        )

    # --- sectors ---

    def _begin(self) -> None:
        # A flash that takes nothing must not cost all that it holds: a second such is erased after a success.
        free = (self.tail - self.head) % self.sectors - 1 if self.tail_ends else self.sectors
        passed = self._bad if self._bad < free or not self._risked else 0
        self._risked = self._risked or passed >= free
        self._bad = (passed + 1) % (self.sectors - 2)  # unless all goes well
        new = (self.head + 1 + passed) % self.sectors
        spare = (new + 1) % self.sectors
        tail, given_up = self._make_room(passed + 2)
        settled, digest, lost = given_up or (self.settled[0], self.settled[1], self.lost)
        if not self.blank(new, 0):
            self.flash.ioctl(6, new)
        first, turn = self.seq + 1, self.newest[0] + 1 + passed
        header = _MAGIC + binascii.unhexlify(self.epoch)
        header += struct.pack(">IIIi", turn, first, settled, lost) + self.digest
        self.flash.writeblocks(new, header + struct.pack(">I", binascii.crc32(header)), 0)
        known = self.header(new)
        if not known or known[0] != turn:
            raise OSError(EIO)
        self.settled = settled, digest
        self.lost = lost
        self.head = new
        self.newest = known
        self.at = _HEADER
        self._bad = 0
        self._risked = False
        if tail != self.tail or not self.tail_ends:
            self._start_at(tail)
        if not self.blank(spare, 0):
            self.flash.ioctl(6, spare)

    def _make_room(self, count: int) -> "tuple[int, tuple[int, bytes, int] | None]":
        # Where the log begins when so many sectors after the newest are for others, and what is settled
        # and lost then: the oldest make room, acknowledged or not.
        tail, given_up = self.tail, None
        while self.tail_ends and 0 < (tail - self.head) % self.sectors <= count:
            found = self._after(tail)
            if not found:
                break
            tail, known = found
            if known[1] > self.settled[0] + 1:
                given_up = known[1] - 1, known[4], self.lost or self.settled[0] + 1
        return tail, given_up

    def _start_at(self, tail: int) -> None:
        # The oldest sector is this one from now on.
        self.tail = tail
        found = self._after(tail)
        self.tail_ends = found[1][1] if found else 0
        self._rewind()

    def _after(self, tail: int):  # type: ignore[no-untyped-def]
        # The sector after that one, where the log goes on, and its header; None behind the newest.
        place = None
        older = self.head, self.newest
        room = (self.head - tail) % self.sectors
        while older and (self.head - older[0]) % self.sectors < room:
            place = older
            older = self.before(*place)
        return place

    def _find(self, seq: int):  # type: ignore[no-untyped-def]
        # Where event seq is, if it can be read: the newest sector that begins no later; and the one after it.
        place, after = (self.head, self.newest), None
        while place[1][1] > seq:
            older = self.before(*place)
            if not older:
                break
            place, after = older, place
        return place, after

    # --- reading, for ring_start, too ---

    def header(self, sector: int) -> "tuple[int, int, int, int, bytes, bytes] | None":
        # (turn, first, settled, lost, digest, epoch); None if there is none.
        data = self._read(sector, 0, _HEADER)
        if data[:4] != _MAGIC or data[-4:] != struct.pack(">I", binascii.crc32(data[:-4])):
            return None
        return struct.unpack(">IIIi16s", data[8:40]) + (data[4:8],)

    def before(self, sector: int, known):  # type: ignore[no-untyped-def]
        # The sector before that one, and its header, or None. One that was passed over may still hold
        # something, under numbers that were given again.
        for passed in range(1, self.sectors):
            older = self.header((sector - passed) % self.sectors)
            if older and older[0] == known[0] - passed and older[1] < known[1]:
                return (sector - passed) % self.sectors, older
        return None

    def record(self, sector: int, at: int, seq: int) -> "bytes | None":
        # The body of event seq if it stands there.
        if at + _RECORD > self.size:
            return None
        size, crc = struct.unpack(">HI", self._read(sector, at, _RECORD))
        if at + _RECORD + size > self.size:
            return None
        body = self._read(sector, at + _RECORD, size)
        return body if check(seq, body) == crc else None

    def blank(self, sector: int, at: int) -> bool:
        # Whether all from there on is erased.
        while at < self.size:
            data = self._read(sector, at, min(_PIECE, self.size - at))
            if data != b"\xff" * len(data):
                return False
            at += len(data)
        return True

    def _read(self, sector: int, at: int, size: int) -> bytes:
        data = bytearray(size)
        try:
            self.flash.readblocks(sector, data, at)
        except OSError:
            pass  # as a cell that has lost what it held
        return bytes(data)

    def _rewind(self) -> None:
        known = self.header(self.tail)
        self._sector = self.tail
        self._offset = _HEADER
        self._next = known[1] if known else self.seq + 1

    def _follow(self, seq: int) -> bool:
        # Goes on in the next sector if that is where event seq is.
        (sector, known), _after = self._find(seq)
        if sector == self._sector or known[1] > seq:
            return False
        self._sector = sector
        self._offset = _HEADER
        self._next = known[1]
        return True


def check(seq: int, body: bytes) -> int:
    return binascii.crc32(body, seq)
