# Writes the file that records.Cache reads: the gateway's half of the format.

import hashlib
import struct

from doorward_core.compat import const
from doorward_core.seal import Keys

NO_BOUND = 0xFFFF
PERSON_INACTIVE = 1

_MAC_SIZE = const(16)
_MOST = const(65535)
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
    windows: "list[tuple[int, int, int, int, int]]",
    persons: "list[tuple[int | None, int | None, int]]",
    records: "list[tuple[bytes, int, int]]",
) -> bytes:
    # The whole file. windows: (group, strength, day mask, start, end); persons: (valid from, valid
    # until, flags), each known by its place; records: (tag, place of the person, group). Raises
    # ValueError for more people or groups than two bytes can name.
    if len(persons) > _MOST or (windows and max(windows)[0] > _MOST):
        raise ValueError("cache: more than 65535 people or groups at one door")
    parts = []
    for group, strength, mask, start, end in sorted(windows):
        parts.append(struct.pack(_WINDOW, group, mask, strength, start, end))
    for first, last, flags in persons:
        first = NO_BOUND if first is None else first
        last = NO_BOUND if last is None else last
        parts.append(struct.pack(_PERSON, first, last, flags, 0))
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
