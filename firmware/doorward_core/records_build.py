# Writes the file that records.Cache reads: the gateway's half of the format.

import hashlib
import struct

from doorward_core.compat import const
from doorward_core.seal import Keys

NO_BOUND = 0xFFFF
PERSON_INACTIVE = 1
PERSON_CRYPTO = 2

_MAC_SIZE = const(16)
_MAGIC = b"DWC1"
_HEADER = ">4s32sIIIIIII16s"
_WINDOW = ">HBBHH"
_PERSON = ">HHHH"


def build(
    keys: Keys,
    version: int,
    issued: int,
    soft_expiry: int,
    hard_expiry: int,
    windows: "list[tuple[int, int, int, int]]",
    persons: "list[tuple[int, int | None, int | None, int]]",
    records: "list[tuple[bytes, int, int]]",
) -> bytes:
    # The whole file. windows: (group, day mask, start, end); persons: (person, valid from, valid
    # until, flags); records: (tag, person, group). Sorted here.
    parts = []
    for group, mask, start, end in sorted(windows):
        parts.append(struct.pack(_WINDOW, group, mask, 0, start, end))
    for person, first, last, flags in sorted(persons, key=_first):
        first = NO_BOUND if first is None else first
        last = NO_BOUND if last is None else last
        parts.append(struct.pack(_PERSON, person, first, last, flags))
    for mark, person, group in sorted(records):
        parts.append(mark + struct.pack(">HH", person, group))
    rest = b"".join(parts)
    digest = hashlib.sha256(rest).digest()[:16]
    counts = (len(windows), len(persons), len(records))
    device = keys.device.encode()
    header = struct.pack(
        _HEADER, _MAGIC, device, version, issued, soft_expiry, hard_expiry, *counts, digest
    )
    return header + rest + keys.mac("down.cache", [header])[:_MAC_SIZE]


def _first(row: "tuple[int, int | None, int | None, int]") -> int:
    return row[0]
