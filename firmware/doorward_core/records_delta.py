# What makes a board's copy of who may pass into the next one: the gateway's half of the format.
#
#   header 36: magic "DWD1", then as u32 the version that it is for, the one that it makes, how many
#              tags follow, bytes of steps; sixteen bytes of SHA-256 over all that follows
#   tags 12 each, sorted: cards that are not to pass any more, or not as before. They count at once, the
#              rest when the board has made the new copy out of it
#   steps:     source u32, length u32: so many bytes of the old file from there on; or, source
#              0xFFFFFFFF, the bytes that follow
#
# Both files are those of records_build; node.delta reads it.

import hashlib
import struct

from doorward_core.compat import const

_MAGIC = b"DWD1"
_LITERAL = const(0xFFFFFFFF)
_HEADER = const(80)
_ROW = const(8)
_HOLIDAY = const(4)
_TAG = const(12)
_RECORD = const(20)
# A board that keeps the beginnings of more tags than this in its heap, or keeps much more, fetches the
# whole.
_MOST_TAGS = const(160)
_MOST_BYTES = const(16384)
# To copy costs as much as saying eight bytes.
_STEP = const(8)
# Of rows that are nobody's.
_NOBODYS = b"\xff" * 12


class _Parts:
    # A file of records_build, taken apart.
    def __init__(self, file: bytes) -> None:
        self.file = file
        fields = struct.unpack(">4s32sIIIIHHII16s", file[:_HEADER])
        self.version = fields[2]
        self.holidays_at = _HEADER + fields[6] * _ROW
        self.records_at = self.holidays_at + fields[7] * _HOLIDAY
        self.buckets_at = self.records_at + fields[8] * _RECORD
        self.end = self.buckets_at + fields[9]

    def windows(self) -> "dict[bytes, list[bytes]]":
        # The rows of each group.
        found: "dict[bytes, list[bytes]]" = {}
        for at in range(_HEADER, self.holidays_at, _ROW):
            found.setdefault(self.file[at : at + 2], []).append(self.file[at : at + _ROW])
        return found

    def rows(self) -> "list[bytes]":
        return [
            self.file[at : at + _RECORD] for at in range(self.records_at, self.buckets_at, _RECORD)
        ]


class _Steps:
    def __init__(self) -> None:
        self.steps: "list[tuple[int, int, bytes]]" = []

    def copy(self, source: int, size: int) -> None:
        if self.steps and self.steps[-1][0] != _LITERAL:
            last, length, _data = self.steps[-1]
            if last + length == source:
                self.steps[-1] = (last, length + size, b"")
                return
        if size:
            self.steps.append((source, size, b""))

    def say(self, data: bytes) -> None:
        if self.steps and self.steps[-1][0] == _LITERAL:
            data = self.steps.pop()[2] + data
        if data:
            self.steps.append((_LITERAL, len(data), data))

    def packed(self) -> bytes:
        return b"".join([struct.pack(">II", at, size) + data for at, size, data in self.steps])


def build(old: bytes, new: bytes) -> "bytes | None":
    # The delta from one file of a board to another of it; None where the whole is as good.
    if old[:4] != new[:4]:
        return None
    before, after = _Parts(old), _Parts(new)
    steps = _Steps()
    steps.say(new[: after.records_at])
    _records(before, after.rows(), steps)
    _buckets(before, after, steps)
    steps.say(new[after.end :])
    tags, rest = _gone(before, after), steps.packed()
    size = len(tags) * _TAG + len(rest)
    if len(tags) > _MOST_TAGS or size > _MOST_BYTES or size * 2 > len(new):
        return None
    body = b"".join(tags) + rest
    head = (before.version, after.version, len(tags), len(rest))
    digest = hashlib.sha256(body).digest()[:16]
    return struct.pack(">4sIIII16s", _MAGIC, *head, digest) + body


def _records(before: _Parts, rows: "list[bytes]", steps: _Steps) -> None:
    old = before.rows()
    known = {row: at for at, row in enumerate(old)}
    place = 0
    for row in rows:
        # Several rows are nobody's: the one that follows makes no step of its own.
        if place == len(old) or old[place] != row:
            if row not in known:
                steps.say(row)
                continue
            place = known[row]
        steps.copy(before.records_at + place * _RECORD, _RECORD)
        place += 1


def _buckets(before: _Parts, after: _Parts, steps: _Steps) -> None:
    old = before.file[before.buckets_at : before.end]
    new = after.file[after.buckets_at : after.end]
    at = 0
    while at < len(new):
        same = at
        while same < len(new) and old[same : same + 1] == new[same : same + 1]:
            same += 1
        if same - at > 2 * _STEP:
            steps.copy(before.buckets_at + at, same - at)
        else:
            same = min(same + 1, len(new))
            steps.say(new[at:same])
        at = same


def _gone(before: _Parts, after: _Parts) -> "list[bytes]":
    # The tags of all to whom the new file says anything else than the old one.
    kept = set(after.rows())
    old_windows, new_windows = before.windows(), after.windows()
    tags = []
    for row in before.rows():
        group = row[14:16]
        if row[:_TAG] == _NOBODYS:
            continue
        if row not in kept or old_windows.get(group) != new_windows.get(group):
            tags.append(row[:_TAG])
    return tags
