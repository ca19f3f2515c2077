"""Packs a folder into MicroPython's ROMFS, from which .mpy files run in place.

The shim stands in for a chip, so its code must not lie on the heap that firmware has to share. In a ROMFS image outside
that heap, bytecode and strings stay where they are (about a third of the shim's weight). Format: extmod/vfs_rom.c.
"""

from pathlib import Path

_MAGIC = b"\xd2\xcd\x31"
_DATA = 2
_DIRECTORY = 4
_FILE = 5


def pack(folder: Path) -> bytes:
    """Return the image of all files under `folder`."""
    records = _records(folder)
    length = _number(len(records))
    if (len(_MAGIC) + len(length) + len(records)) % 2:
        length = b"\x80" + length  # an image has an even length
    return _MAGIC + length + records


def _records(folder: Path) -> bytes:
    out = b""
    for path in sorted(folder.iterdir()):
        name = _number(len(path.name)) + path.name.encode()
        if path.is_dir():
            out += _record(_DIRECTORY, name + _records(path))
        else:
            out += _record(_FILE, name + _record(_DATA, path.read_bytes()))
    return out


def _record(kind: int, payload: bytes) -> bytes:
    return _number(kind) + _number(len(payload)) + payload


def _number(value: int) -> bytes:
    """Encode big-endian in groups of seven bits; all but the last carry the top bit."""
    out = bytes((value & 0x7F,))
    while value := value >> 7:
        out = bytes((0x80 | value & 0x7F,)) + out
    return out
