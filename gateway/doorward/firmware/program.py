"""A firmware folder with its program made small: what is compiled for boards."""

import hashlib
import shutil
from pathlib import Path

from doorward.firmware.link import CannotLink
from doorward.firmware.manifest import PACKAGES
from doorward.firmware.mpy import DoesNotCompile
from doorward.firmware.shrink import Shrunk, shrink

# What else decides what becomes of a program.
_MADE_BY = (
    "program.py",
    "grouping.py",
    "link.py",
    "mpy.py",
    "renamer.py",
    "scopes.py",
    "short_names.py",
    "shrink.py",
    "chip_names.txt",
)

# What docs/hardware-bench.md calls by hand, at a board's prompt.
_BY_HAND = "make, start, health, set"

Called = dict[str, dict[str, list[str]]]


def shrunk(firmware: Path, *, join: bool = True) -> Shrunk:
    """Make the program in a firmware folder small, as `shrink` does. Raises OSError and DoesNotCompile."""
    inside = {path: path.relative_to(firmware) for path in sorted(firmware.rglob("*.py"))}
    sources = {}
    entries = [_BY_HAND]
    for path, name in inside.items():
        if any(part.startswith(".") for part in name.parts):
            continue
        if name.parts[0] in PACKAGES:
            sources[str(name)] = path.read_text()
        else:
            entries.append(path.read_text())
    try:
        return shrink(sources, entries, join=join)
    except SyntaxError as error:
        place = f"{error.filename}, line {error.lineno}"
        raise DoesNotCompile(f"{place} does not compile: {error.msg}; correct the file") from None
    except CannotLink as error:
        raise DoesNotCompile(str(error)) from None


def copy(firmware: Path, target: Path) -> Called:
    """Make `target` a copy of a firmware folder with its program shortened. Returns what was called what."""
    made = shrunk(firmware)
    shutil.copytree(firmware, target, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    for package in PACKAGES:
        for path in (target / package).rglob("*.py"):
            path.unlink()
    for name, source in made.sources.items():
        (target / name).write_text(source)
    return made.called


def identity() -> str:
    """Return a string that changes when the result of `copy` may change for the same folder."""
    here = Path(__file__).parent
    digest = hashlib.sha256()
    for name in _MADE_BY:
        digest.update((here / name).read_bytes())
    return digest.hexdigest()
