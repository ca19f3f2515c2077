"""Runs on_micropython/check_mfrc522.py: one real MicroPython process per function, on the shim as boards get it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from doorward_lab import build, places, toolchain

_CHECKS = Path(__file__).with_name("on_micropython") / "check_mfrc522.py"
_NAMES = re.findall(r"^def (test_\w+)", _CHECKS.read_text(), re.MULTILINE)


@pytest.fixture(scope="module")
def rom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rom")
    shim = shutil.copytree(places.shim(), folder / "shim")
    # mpy-cross drops assert from what boards get, so the checks travel as source.
    (shim / "checks.py").write_text(
        "import sys\nexec(open(sys.argv[1]).read() + sys.argv[2] + '()')\n"
    )
    return build.rom(shim, folder / "cache")


@pytest.mark.parametrize("name", _NAMES)
def test_reader(name: str, rom: Path) -> None:
    command = [*toolchain.interpreter_command(rom, "checks"), str(_CHECKS), name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
