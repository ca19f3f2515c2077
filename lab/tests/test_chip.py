"""Runs on_micropython/check_*.py: one real MicroPython process per function, on the shim as boards get it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from doorward_lab import build, places, toolchain

_FOLDER = Path(__file__).with_name("on_micropython")
_CHECKS = [
    (path, name)
    for path in sorted(_FOLDER.glob("check_*.py"))
    for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
]


@pytest.fixture(scope="module")
def rom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rom")
    shim = shutil.copytree(places.shim(), folder / "shim")
    # mpy-cross drops assert from what boards get, so the checks travel as source.
    (shim / "checks.py").write_text(
        "import sys\nexec(open(sys.argv[1]).read() + sys.argv[2] + '()')\n"
    )
    shutil.copy(_FOLDER / "mfrc522_rig.py", shim)
    return build.rom(shim, folder / "cache", [path.read_text() for path, _ in _CHECKS])


@pytest.mark.parametrize(("checks", "name"), _CHECKS, ids=[name for _, name in _CHECKS])
def test_reader(checks: Path, name: str, rom: Path) -> None:
    command = [*toolchain.interpreter_command(rom, "checks"), str(checks), name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
