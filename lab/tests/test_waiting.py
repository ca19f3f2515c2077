"""A lab that is started before there is a site: it compiles meanwhile."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from lab_profiles import profile

PATIENCE_S = 60


def waiting(data: Path, firmware: Path) -> subprocess.Popen[str]:
    words = ("--data", str(data), "--firmware", str(firmware), "--wait")
    return subprocess.Popen(
        [sys.executable, "-m", "doorward_lab", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_it_compiles_and_reads_its_site_when_it_is_told(
    tmp_path: Path, program: Callable[..., Path]
) -> None:
    data = tmp_path / "lab"
    firmware = program(main="import other\n", other="while True:\n    pass\n")
    with waiting(data, firmware) as lab:
        try:
            assert lab.stdin is not None
            assert lab.stdout is not None
            deadline = time.monotonic() + PATIENCE_S
            while not any(data.glob("cache/*.romfs")):
                assert time.monotonic() < deadline
                time.sleep(0.02)
            assert any(data.glob("cache/*.mpy"))
            (data / "site.json").write_text(json.dumps({"boards": [profile("front")]}))
            lab.stdin.write("go\n")
            lab.stdin.flush()
            assert lab.stdout.readline().startswith("lab: 1 boards")
        finally:
            lab.terminate()
    assert lab.returncode == 0


def test_it_ends_when_nobody_is_left_to_tell_it(
    tmp_path: Path, program: Callable[..., Path]
) -> None:
    with waiting(tmp_path / "lab", program(main="")) as lab:
        lab.communicate(timeout=PATIENCE_S)
    assert lab.returncode == 0
