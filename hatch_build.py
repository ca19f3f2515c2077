"""Compiles the boards' firmware into the wheel, so that a gateway needs no compiler to update its boards."""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompiledFirmware(BuildHookInterface[Any]):
    """Puts firmware-mpy/ beside firmware/ in the package; an editable install has none, and compiles when asked."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, for a wheel that is to be installed elsewhere."""
        if version == "editable":
            return
        root = Path(self.root)
        sys.path.insert(0, str(root / "gateway"))
        from doorward.firmware import ready  # noqa: PLC0415 - from the path above

        self._folder = Path(tempfile.mkdtemp())
        files, _called = ready.compile_folder(root / "firmware")
        for name, content in files.items():
            path = self._folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        build_data["force_include"][str(self._folder)] = f"doorward/_data/{ready.FOLDER}"

    def finalize(self, version: str, _build_data: dict[str, Any], _artifact: str) -> None:
        """Remove what was compiled."""
        if version != "editable":
            shutil.rmtree(self._folder)
