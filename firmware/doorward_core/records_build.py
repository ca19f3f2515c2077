# Writes the file that records.Cache reads: the gateway's half of the format.

import hashlib
import struct

from doorward_core.compat import const
from doorward_core.seal import Keys

NO_BOUND = 0xFFFF
PERSON_INACTIVE = 1
# Bump it when the same content becomes another file: boards fetch it then.
FORMAT = 2

_MAC_SIZE = const(16)
_MOST = const(65535)
_MAGIC = b"DWC2"
_HEADER = ">4s32sIIIIHHII16s"
_HEADER_SIZE = const(80)
_WINDOW = ">HBBHH"
_HOLIDAY = ">HH"
_RECORD = ">HHHH"
_RECORD_SIZE = const(20)
_SUSPENDED = const(0xFFFF)
# Behind every tag.
_NOBODY = b"\xff" * 20
# A bucket has three records or fewer on average, the fullest of thousands about twelve.
_A_BUCKET = const(3)
_FULLEST = const(255)
# Of LittleFS on an ESP32. On other flash a look-up in a few buckets costs more reads, that is all.
_BLOCK = const(4096)


def build(  # noqa: PLR0913, PLR0917 - as many parts as the file has
    keys: Keys,
    version: int,
    issued: int,
    soft_expiry: int,
    hard_expiry: int,
    windows: "list[tuple[int, int, int, int, int]]",
    persons: "list[tuple[int | None, int | None, int]]",
    records: "list[tuple[bytes, int, int]]",
    holidays: "tuple[tuple[int, int], ...]" = (),
) -> bytes:
    # The whole file. windows: (group, strength, day mask, start, end); persons: (valid from, valid
    # until, flags), each known by its place; records: (tag, place of the person, group); holidays:
    # (first day, last day). Raises ValueError for more of any than two bytes can name.
    if len(persons) > _MOST or (windows and max(windows)[0] >= _SUSPENDED):
        raise ValueError("cache: more than 65535 people or groups at one door")
    if len(windows) > _MOST or len(holidays) > _MOST or len(records) > _MOST:
        raise ValueError("cache: more than 65535 windows, holidays or cards at one door")
    parts = []
    for group, strength, mask, start, end in sorted(windows):
        parts.append(struct.pack(_WINDOW, group, mask, strength, start, end))
    for first, last in sorted(holidays):
        parts.append(struct.pack(_HOLIDAY, first, last))
    start = _HEADER_SIZE + sum([len(part) for part in parts])
    rows = [mark + _rest(persons[person], person, group) for mark, person, group in sorted(records)]
    rows, counts = _placed(rows, start)
    rest = b"".join(parts + rows) + counts
    digest = hashlib.sha256(rest).digest()[:16]
    sizes = (len(windows), len(holidays), len(rows), len(counts))
    device = keys.device.encode()
    header = struct.pack(
        _HEADER, _MAGIC, device, version, issued, soft_expiry, hard_expiry, *sizes, digest
    )
    return header + rest + keys.mac("down.cache", [header])[:_MAC_SIZE]


def _rest(bounds: "tuple[int | None, int | None, int]", person: int, group: int) -> bytes:
    # What a record says beside its tag.
    first, last, flags = bounds
    return struct.pack(
        _RECORD,
        person,
        _SUSPENDED if flags & PERSON_INACTIVE else group,
        NO_BOUND if first is None else first,
        NO_BOUND if last is None else last,
    )


def _placed(rows: "list[bytes]", start: int) -> "tuple[list[bytes], bytes]":
    # The rows as they stand in the file from byte start on, and how many are in each bucket. Where
    # a bucket, and one row more, would lie across two blocks of the flash, rows that are nobody's go
    # before it until it does not: whoever looks through the bucket before stops at the first of them.
    buckets = 1
    while buckets * _A_BUCKET < len(rows):
        buckets *= 2
    shares: "list[list[bytes]]" = [[] for _ in range(buckets)]
    for row in rows:
        shares[(row[0] << 8 | row[1]) * buckets >> 16].append(row)
    placed: "list[bytes]" = []
    counts: "list[int]" = []
    edge, block = _BLOCK, 0
    for share in shares:
        at = start + len(placed) * _RECORD_SIZE
        while edge <= at:
            block += 1
            edge += _data_size(block)
        if counts and at + (len(share) + 1) * _RECORD_SIZE > edge:
            short = (edge - at + _RECORD_SIZE - 1) // _RECORD_SIZE
            placed += [_NOBODY] * short
            counts[-1] += short
        placed += share
        counts.append(len(share))
    if max(counts) > _FULLEST:
        return rows, b""  # tags that are none: any order does
    return placed, bytes(counts)


def _data_size(block: int) -> int:
    # What a block of a file has room for. LittleFS begins each but the first with the addresses of the
    # blocks 1, 2, 4 ... before it, as far as its number can be divided by that.
    pointers = 1
    while block % (1 << pointers) == 0:
        pointers += 1
    return _BLOCK - 4 * pointers
