"""A chip's clock, and the 2 KiB of its memory that a reset leaves alone: in a file, so that they outlive a process.

    8 bytes   what the chip's clock is ahead of the laptop's, in seconds, little-endian
    2 bytes   how much of the memory is in use
    2,048     the memory

launch.py imports this file alone, so it can import nothing of ours.
"""

import ctypes
import math
import mmap
import struct
import time
from pathlib import Path
from typing import Any

_SIZE = 8 + 2 + 2048
# ELF: the tags of its dynamic section that lead to the table of foreign functions.
_STRINGS, _SYMBOLS, _TABLE, _TABLE_SIZE = 5, 6, 23, 2
_DYNAMIC = 2
_ENTRY = 24  # bytes of a symbol, and of an entry in the table

# 2000-01-01: where an ESP32 begins to count.
BOOT = 946_684_800

_kept: list[Any] = []  # what MicroPython holds pointers to


class Rtc:
    """The file of one chip."""

    def __init__(self, path: Path, boot_clock: float | None) -> None:
        """boot_clock: what the clock says after each power-on, as Unix time; None for the laptop's."""
        self.path = path
        self._boot_clock = boot_clock

    def power_up(self) -> None:
        """Write what a chip has when it gets power: nothing in its memory, and its clock where that begins."""
        # Whoever adds this drops the fraction of its second: rounded down, the clock would begin a second too early.
        ahead = 0 if self._boot_clock is None else math.ceil(self._boot_clock - time.time())
        self.path.write_bytes(struct.pack("<q", ahead).ljust(_SIZE, b"\0"))


def attach(path: Path) -> int:
    """Map the file and let the interpreter's TLS ask its clock; returns its address. It has to be loaded already."""
    with path.open("r+b") as file:
        area = mmap.mmap(file.fileno(), _SIZE)
    ahead = ctypes.c_longlong.from_buffer(area)
    _kept.extend((area, ahead))
    _replace_time(lambda: int(time.time()) + ahead.value)
    return ctypes.addressof(ahead)


def _replace_time(now: Any) -> None:
    """Give the interpreter another time(2): Mbed TLS judges certificates by it, and has no other way to be told.

    Nothing happens where the interpreter is no ELF for 64 bits.
    """
    import micropython_run  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - only in a board's process

    path = Path(micropython_run.__file__)
    found = _slot_of(b"time", path)
    if found is None:
        return

    def told(out: Any) -> int:
        seconds: int = now()
        if out:
            out[0] = seconds
        return seconds

    answer = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.POINTER(ctypes.c_long))(told)
    _kept.append(answer)
    ctypes.c_void_p.from_address(found).value = ctypes.cast(answer, ctypes.c_void_p).value


def _slot_of(name: bytes, path: Path) -> int | None:
    """Return where a loaded library keeps the address of the foreign function `name`; None if it does not."""
    image = path.read_bytes()
    if image[:5] != b"\x7fELF\x02":
        return None
    maps = Path("/proc/self/maps").read_text().splitlines()
    base = min(int(line.split("-")[0], 16) for line in maps if line.endswith(str(path)))
    tags = _dynamic(image)
    for at in range(tags[_TABLE], tags[_TABLE] + tags[_TABLE_SIZE], _ENTRY):
        slot, info = struct.unpack("<QQ", ctypes.string_at(base + at, 16))
        symbol = base + tags[_SYMBOLS] + _ENTRY * (info >> 32)
        (start,) = struct.unpack("<I", ctypes.string_at(symbol, 4))
        if ctypes.string_at(base + tags[_STRINGS] + start) == name:
            return int(base + slot)
    return None


def _dynamic(image: bytes) -> dict[int, int]:
    (headers,) = struct.unpack_from("<Q", image, 32)
    (count,) = struct.unpack_from("<H", image, 56)
    for at in range(headers, headers + 56 * count, 56):
        kind, _flags, offset, _, _, size = struct.unpack_from("<IIQQQQ", image, at)
        if kind == _DYNAMIC:
            return dict(struct.iter_unpack("<qQ", image[offset : offset + size]))
    return {}
