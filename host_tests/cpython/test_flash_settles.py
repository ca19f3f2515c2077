"""Firmware, settings and keys change together: the power is cut at every operation of the flash while they do."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from doorward.data import data_root
from doorward.flash import scripts

DRIVER = Path(__file__).parents[1] / "on_board" / "settle_cuts.py"
FILES = ("/config.json", "/tls/ca.der", "/tls/cert.der", "/tls/key.der")


def script() -> str:
    new = hashlib.sha256(b"new " * 300).hexdigest()
    main = hashlib.sha256((data_root() / "firmware" / "main.py").read_bytes()).hexdigest()
    news = {**dict.fromkeys(FILES, new), "/main.py": main}
    return scripts.finish(news, firmware=True, trial=False, foreign=False)


def sweep(folder: Path, source: str) -> dict[str, int]:
    """The driver's tally."""
    made, probe = folder / "finish.py", folder / "probe.py"
    made.write_text(source)
    # This port's os has no uname(): what comes behind it only looks.
    probe.write_text(scripts.PROBE.partition("name = os.uname()")[0])
    done = subprocess.run(
        [Path(sys.executable).with_name("micropython"), DRIVER, made, probe],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    tally: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return tally


@pytest.mark.timeout(660)
def test_wherever_the_power_goes_all_of_it_is_old_or_all_of_it_is_new(tmp_path: Path) -> None:
    tally = sweep(tmp_path, script())
    assert tally["mixed"] == 0, tally
    assert min(tally["old"], tally["new"]) > 2, tally
    assert tally["cuts"] > 40, tally


@pytest.mark.timeout(660)
def test_files_that_take_their_places_one_by_one_are_caught(tmp_path: Path) -> None:
    source = script()
    mutant = source.replace("os.rename('/commit' + NEW, '/commit')", "settle_now(places)").replace(
        "        go_on()\n", ""
    )
    mutant = mutant.replace(
        "def stale(",
        "def settle_now(places):\n    for path in places:\n        os.rename(path + NEW, path)\ndef stale(",
    )
    assert mutant.count("settle_now") == 2
    assert sweep(tmp_path, mutant)["mixed"] > 2
