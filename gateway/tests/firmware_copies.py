"""Firmware of other versions than the one that ships: real source with a few lines changed, compiled."""

import shutil
from pathlib import Path

from doorward.data import data_root
from doorward.firmware.bundle import Bundle, compiled

Change = tuple[str, str, str]
_NODE = "doorward_node/"
# A trial that proves itself in a second.
_SOON: Change = (_NODE + "trial.py", "_STEADY_S = const(10)", "_STEADY_S = const(1)")
_SHIPS = 'VERSION = "0.1.0"'


class Versions:
    """`old` runs on a test's board; `bundle` makes what it is updated to. Not signed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[tuple[str, tuple[Change, ...]], Bundle] = {}
        self.old = self._copy("0.1.0", ())

    def bundle(self, version: str, *changes: Change, epoch: int = 0) -> Bundle:
        """A version with these changes: (file, old, new)."""
        key = version, changes
        if key not in self._made:
            self._made[key] = compiled(self._copy(version, changes), epoch)
        return self._made[key]

    def _copy(self, version: str, changes: tuple[Change, ...]) -> Path:
        target = self._folder / f"{version}-{len(list(self._folder.iterdir()))}"
        shutil.copytree(data_root() / "firmware", target)
        named: Change = (_NODE + "__init__.py", _SHIPS, f'VERSION = "{version}"')
        for file, old, new in (_SOON, named, *changes):
            source = (target / file).read_text()
            assert old in source, f"{file}: the code that this test changes has changed"
            (target / file).write_text(source.replace(old, new))
        return target
