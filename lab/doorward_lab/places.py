"""Where the lab finds the MicroPython code of its boards: in the source tree, or inside an installed wheel."""

from importlib.resources import files
from pathlib import Path

from doorward_lab.errors import LabError

_SOURCE_TREE = Path(__file__).resolve().parents[2]


def shim() -> Path:
    """Return the folder of modules that stand in for the chip."""
    return _find(_SOURCE_TREE / "lab" / "shim", "shim")


def firmware() -> Path:
    """Return the folder with the door firmware."""
    return _find(_SOURCE_TREE / "firmware", "firmware")


def _find(in_tree: Path, packaged: str) -> Path:
    if in_tree.is_dir():
        return in_tree
    in_wheel = Path(str(files("doorward"))) / "_data" / packaged
    if in_wheel.is_dir():
        return in_wheel
    raise LabError(f"{packaged} is neither at {in_tree} nor at {in_wheel}; install doorward again")
