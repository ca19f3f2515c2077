# The board's own copy of who may pass, as one sealed file.
#
#   header 80: magic "DWC1", device 32, version, issued, soft and hard expiry (u32 UTC seconds),
#              windows, persons, records (u32 counts), sixteen bytes of SHA-256 over the rest
#   windows  8 each, by group:   group u16, day mask u8, strength u8, start u16, end u16
#   persons  8 each:             valid from u16, valid until u16, flags u16, 0
#   records 16 each, by tag:     tag 12, person u16 (the place in persons), group u16
#   mac 16: HMAC under key down.cache over the header
#
# records_build writes it, and names the flags of a person. Days count from 2000-01-01; 0xFFFF is
# "no bound". All numbers are big-endian. Tags are uniform, so a look-up guesses where a tag stands
# and needs about four probes for 10,000 records.

import hashlib
import struct

from doorward_core.access import Credential
from doorward_core.compat import const, same
from doorward_core.seal import Keys

_MAGIC = b"DWC1"
_TAG_SIZE = const(12)
_NO_BOUND = const(0xFFFF)
_INACTIVE = const(1)
_HEADER_SIZE = const(80)
_ROW = const(8)
_RECORD = const(16)
_MAC_SIZE = const(16)
_STEP = const(256)


class CacheError(ValueError):
    # The file is not one that the gateway made for this board: keep the old one, ask again. What
    # is wrong with it is one word, for who debugs: nobody reads more of it on a board.
    pass


class Cache:
    # Looks credentials up in an open binary file made by build(). check() must have passed once
    # since the file was written; a look-up reads about nine times and holds nothing but windows.
    def __init__(self, file, keys: Keys) -> None:  # type: ignore[no-untyped-def]  # any seekable
        self.file = file
        self.keys = keys
        file.seek(0)
        self._groups: "dict[int, tuple[int, tuple[tuple[int, int, int], ...]]]" = {}
        header = file.read(_HEADER_SIZE)
        if len(header) != _HEADER_SIZE or header[:4] != _MAGIC:
            raise CacheError("magic")
        fields = struct.unpack(">4s32sIIIIIII16s", header)
        if fields[1].rstrip(b"\0") != keys.device.encode():
            raise CacheError("device")
        self.version, self.issued, self.soft_expiry, self.hard_expiry = fields[2:6]
        self._persons, self.count = fields[7:9]
        self._digest = fields[9]
        self._persons_at = _HEADER_SIZE + fields[6] * _ROW
        self._records_at = self._persons_at + self._persons * _ROW
        self._end = self._records_at + self.count * _RECORD
        # The header first: counts that are not the gateway's could ask for any amount of heap.
        mac = keys.mac("down.cache", [header])[:_MAC_SIZE]
        if not same(self._read(self._end, _MAC_SIZE), mac) or file.read(1):
            raise CacheError("mac")
        for at in range(_HEADER_SIZE, self._persons_at, _ROW):
            group, mask, strength, start, end = struct.unpack(">HBBHH", self._read(at, _ROW))
            windows = self._groups[group][1] if group in self._groups else ()
            self._groups[group] = (strength, windows + ((mask, start, end),))

    def check(self) -> None:
        # Reads the whole file once and raises CacheError unless every byte is the gateway's.
        digest = hashlib.sha256(b"")
        for at in range(_HEADER_SIZE, self._end, _STEP):
            digest.update(self._read(at, min(_STEP, self._end - at)))
        if not same(digest.digest()[:16], self._digest):
            raise CacheError("digest")

    def lookup(self, mark: bytes) -> "Credential | None":
        # The credential with this 12-byte tag, None if there is none.
        low = 0
        high = self.count - 1
        low_key = 0
        high_key = 0xFFFFFFFF
        wanted = int.from_bytes(mark[:4], "big")
        while low <= high:
            # Interpolate while the guess can be trusted: low_key <= wanted <= high_key holds.
            span = high_key - low_key + 1
            middle = low + (high - low) * (wanted - low_key) // span
            row = self._read(self._records_at + middle * _RECORD, _RECORD)
            if row[:_TAG_SIZE] == mark:
                return self._credential(row)
            key = int.from_bytes(row[:4], "big")
            if row[:_TAG_SIZE] < mark:
                low = middle + 1
                low_key = key
            else:
                high = middle - 1
                high_key = key
        return None

    def _credential(self, row: bytes) -> Credential:
        person, group = struct.unpack(">HH", row[_TAG_SIZE:])
        if person >= self._persons or group not in self._groups:
            raise CacheError("person")
        first, last, flags, _zero = struct.unpack(
            ">HHHH", self._read(self._persons_at + person * _ROW, _ROW)
        )
        strength, windows = self._groups[group]
        return Credential(
            person,
            group,
            windows,
            None if first == _NO_BOUND else first,
            None if last == _NO_BOUND else last,
            strength,
            False,
            not flags & _INACTIVE,
        )

    def _read(self, offset: int, size: int) -> bytes:
        self.file.seek(offset)
        data: bytes = self.file.read(size)
        if len(data) != size:
            raise CacheError("size")
        return data

    def close(self) -> None:
        self.file.close()
