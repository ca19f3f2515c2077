"""Firmware with a fault planted in it."""

import shutil
from pathlib import Path

FIRMWARE = Path(__file__).parents[1] / "firmware"


def planted(folder: Path, file: str, old: str, new: str) -> Path:
    """A copy of the firmware in which `old` is `new`."""
    copy = folder / "firmware"
    shutil.copytree(FIRMWARE, copy)
    source = (copy / file).read_text()
    assert old in source, "the code that this test changes has changed"
    (copy / file).write_text(source.replace(old, new))
    return copy
