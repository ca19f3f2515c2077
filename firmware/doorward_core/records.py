# The board's own copy of who may pass, as one sealed file.
#
#   header 80: magic "DWC2", device 32, version, issued, soft and hard expiry (u32 UTC seconds),
#              windows, holidays (u16 counts), records, buckets (u32 counts), sixteen bytes of
#              SHA-256 over the rest
#   windows  8 each, by group:   group u16, day mask u8, strength u8, start u16, end u16
#   holidays 4 each:             first day u16, last day u16
#   records 20 each, by tag:     tag 12, person u16, group u16, valid from u16, valid until u16;
#              all ones between two buckets: nobody's
#   buckets  1 each:             how many records stand in it
#   mac 16: HMAC under key down.cache over the header
#
# records_build writes it. Days count from 2000-01-01; 0xFFFF is "no bound"; group 0xFFFF is "the
# person is suspended". All numbers are big-endian.
#
# The first two bytes of a tag, as a fraction of 65536, name its bucket, so that where a record stands
# is counted, not searched. On LittleFS every seek costs up to ten reads of the flash, by which it finds
# the block: a look-up seeks twice, and what it reads first stands at the end, where there are none.
# Without buckets all records are one.

import hashlib
import struct

from doorward_core.access import Credential
from doorward_core.compat import const, same
from doorward_core.seal import Keys

_MAGIC = b"DWC2"
_TAG_SIZE = const(12)
_NO_BOUND = const(0xFFFF)
_SUSPENDED = const(0xFFFF)
_HEADER_SIZE = const(80)
_ROW = const(8)
_HOLIDAY = const(4)
_RECORD = const(20)
_MAC_SIZE = const(16)
_STEP = const(256)
# How many records stand before a bucket is known for every so many of them.
_STRIDE = const(64)


class CacheError(ValueError):
    # The file is not one that the gateway made for this board: keep the old one, ask again. What
    # is wrong with it is one word, for who debugs: nobody reads more of it on a board.
    pass


class Cache:
    # Looks credentials up in an open binary file made by build(). check() must have passed once
    # since the file was written. holidays: (first day, last day) each.
    def __init__(self, file, keys: Keys) -> None:  # type: ignore[no-untyped-def]  # any seekable
        self.file = file
        self.keys = keys
        file.seek(0)
        self._groups: "dict[int, tuple[int, tuple[tuple[int, int, int], ...]]]" = {}
        header = file.read(_HEADER_SIZE)
        if len(header) != _HEADER_SIZE or header[:4] != _MAGIC:
            raise CacheError("magic")
        fields = struct.unpack(">4s32sIIIIHHII16s", header)
        if fields[1].rstrip(b"\0") != keys.device.encode():
            raise CacheError("device")
        self.version, self.issued, self.soft_expiry, self.hard_expiry = fields[2:6]
        self.count, self._buckets, self._digest = fields[8:]
        holidays_at = _HEADER_SIZE + fields[6] * _ROW
        self._records_at = holidays_at + fields[7] * _HOLIDAY
        self._buckets_at = self._records_at + self.count * _RECORD
        self._end = self._buckets_at + self._buckets
        # The header first: counts that are not the gateway's could ask for any amount of heap.
        mac = keys.mac("down.cache", [header])[:_MAC_SIZE]
        if not same(self._read(self._end, _MAC_SIZE), mac) or file.read(1):
            raise CacheError("mac")
        for at in range(_HEADER_SIZE, holidays_at, _ROW):
            group, mask, strength, start, end = struct.unpack(">HBBHH", self._read(at, _ROW))
            windows = self._groups[group][1] if group in self._groups else ()
            self._groups[group] = (strength, windows + ((mask, start, end),))
        days = struct.unpack(
            ">%dH" % (2 * fields[7]), self._read(holidays_at, fields[7] * _HOLIDAY)
        )
        self.holidays = tuple([days[at : at + 2] for at in range(0, len(days), 2)])
        self._before = b""
        before = 0
        for at in range(self._buckets_at, self._end, _STRIDE):
            self._before += struct.pack(">H", before)
            before += sum(self._read(at, min(_STRIDE, self._end - at)))
        if self._buckets and before != self.count:
            raise CacheError("buckets")

    def check(self) -> None:
        # Reads the whole file once and raises CacheError unless every byte is the gateway's.
        digest = hashlib.sha256(b"")
        for at in range(_HEADER_SIZE, self._end, _STEP):
            digest.update(self._read(at, min(_STEP, self._end - at)))
        if not same(digest.digest()[:16], self._digest):
            raise CacheError("digest")

    def lookup(self, mark: bytes) -> "Credential | None":
        # The credential with this 12-byte tag, None if there is none.
        first, size = 0, self.count
        if self._buckets:
            bucket = (mark[0] << 8 | mark[1]) * self._buckets >> 16
            place, within = divmod(bucket, _STRIDE)
            counts = self._read(self._buckets_at + place * _STRIDE, within + 1)
            size = counts[within]
            first = int.from_bytes(self._before[2 * place : 2 * place + 2], "big")
            first += sum(counts) - size
        self.file.seek(self._records_at + first * _RECORD)
        for _ in range(size):
            # Without another seek: the file knows its block.
            row = self.file.read(_RECORD)
            if len(row) != _RECORD:
                raise CacheError("size")
            if row[:_TAG_SIZE] >= mark:
                return self._credential(row) if row[:_TAG_SIZE] == mark else None
        return None

    def _credential(self, row: bytes) -> Credential:
        person, group, first, last = struct.unpack(">HHHH", row[_TAG_SIZE:])
        suspended = group == _SUSPENDED
        if not suspended and group not in self._groups:
            raise CacheError("group")
        strength, windows = (0, ()) if suspended else self._groups[group]
        return Credential(
            person,
            group,
            windows,
            None if first == _NO_BOUND else first,
            None if last == _NO_BOUND else last,
            strength,
            False,
            not suspended,
        )

    def _read(self, offset: int, size: int) -> bytes:
        self.file.seek(offset)
        data: bytes = self.file.read(size)
        if len(data) != size:
            raise CacheError("size")
        return data

    def close(self) -> None:
        self.file.close()
