"""A firmware's packages as boards load them: compiled here, or when this package was made (hatch_build.py)."""

import tempfile
from pathlib import Path

from doorward.firmware import mpy, program
from doorward.firmware.manifest import PACKAGES
from doorward.firmware.program import Called

# Beside firmware/ in an installed package.
FOLDER = "firmware-mpy"


def compile_folder(firmware: Path) -> tuple[dict[str, bytes], Called]:
    """Compile all of a firmware's packages: its .mpy files by their path in a slot, and what is called what.

    Raises OSError, CompilerMissing and DoesNotCompile.
    """
    files = {}
    with tempfile.TemporaryDirectory() as folder:
        target, short = Path(folder) / "module.mpy", Path(folder) / "firmware"
        called = program.copy(firmware, short)
        for package in PACKAGES:
            for path in sorted((short / package).rglob("*.py")):
                inside = path.relative_to(short)
                mpy.compile_file(path, target, mpy.module_name(inside))
                files[str(inside.with_suffix(".mpy"))] = target.read_bytes()
    return files, called


def read(root: Path) -> dict[str, bytes] | None:
    """What was compiled when this package was made; None in a source tree. root: as `data.data_root` names it."""
    folder = root / FOLDER
    if not folder.is_dir():
        return None
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.mpy")}
