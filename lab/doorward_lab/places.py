"""Where the lab finds the MicroPython code of its boards: in the source tree, or inside an installed wheel."""

from pathlib import Path

from doorward.data import data_root
from doorward_lab.errors import LabError


def shim() -> Path:
    """Return the folder of modules that stand in for the chip."""
    return _find("lab/shim")


def firmware() -> Path:
    """Return the folder with the door firmware."""
    return _find("firmware")


def _find(folder: str) -> Path:
    found = data_root() / folder
    if not found.is_dir():
        raise LabError(f"{folder} is not in {data_root()}; install doorward again")
    return found
