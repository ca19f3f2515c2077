"""Firmware of other versions than the one that ships: real source with a few lines changed, compiled."""

import shutil
import tempfile
from pathlib import Path

from doorward.data import data_root
from doorward.firmware import mpy, program
from doorward.firmware.bundle import Bundle
from doorward.firmware.manifest import PACKAGES

Change = tuple[str, str, str]
_NODE = "doorward_node/"
# A trial that proves itself in a second.
_SOON: Change = (_NODE + "trial.py", "_STEADY_S = const(10)", "_STEADY_S = const(1)")
_SHIPS = 'VERSION = "0.1.0"'
# Stands for the version until there is one.
_ANY = "7.77.777"


class Versions:
    """`old` runs on a test's board; `bundle` makes what it is updated to. Not signed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._short: dict[tuple[Change, ...], dict[str, str]] = {}
        self.old = self._copy("0.1.0", ())

    def bundle(self, version: str, *changes: Change, epoch: int = 0) -> Bundle:
        """A version with these changes: (file, old, new)."""
        if changes not in self._short:
            self._short[changes] = self._shortened(changes)
        sources = self._short[changes]
        assert sum(source.count(_ANY) for source in sources.values()) == 1
        files = {
            str(Path(inside).with_suffix(".mpy")): self._mpy(inside, source.replace(_ANY, version))
            for inside, source in sources.items()
        }
        return Bundle(version, epoch, files)

    def _shortened(self, changes: tuple[Change, ...]) -> dict[str, str]:
        """What is compiled for boards, by its path. To find short names takes longer than all that is done with it."""
        short = self._folder / f"short-{len(self._short)}"
        program.copy(self._copy(_ANY, changes), short)
        paths = [path for package in PACKAGES for path in sorted((short / package).rglob("*.py"))]
        return {str(path.relative_to(short)): path.read_text() for path in paths}

    def _mpy(self, inside: str, source: str) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path, target = Path(folder) / "module.py", Path(folder) / "module.mpy"
            path.write_text(source)
            mpy.compile_file(path, target, mpy.module_name(Path(inside)))
            return target.read_bytes()

    def _copy(self, version: str, changes: tuple[Change, ...]) -> Path:
        target = self._folder / f"{version}-{len(list(self._folder.iterdir()))}"
        shutil.copytree(data_root() / "firmware", target)
        named: Change = (_NODE + "__init__.py", _SHIPS, f'VERSION = "{version}"')
        for file, old, new in (_SOON, named, *changes):
            source = (target / file).read_text()
            assert old in source, f"{file}: the code that this test changes has changed"
            (target / file).write_text(source.replace(old, new))
        return target
