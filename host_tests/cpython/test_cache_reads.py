"""What a look-up among 10,000 cards costs the flash: every one is looked up by a board's interpreter, on LittleFS."""

import subprocess
import sys
from pathlib import Path

import pytest

from doorward_core import records_build, seal

HERE = Path(__file__).parent.parent
KEYS = seal.Keys("front", bytes(32))
MOST = 16
PERSONS = 1000


def tag(number: int) -> bytes:
    return seal.tag(KEYS, number.to_bytes(7, "big"))


@pytest.mark.parametrize("cards", [10, 9300, 10_000])
def test_no_look_up_takes_more_than_sixteen_reads(cards: int, tmp_path: Path) -> None:
    tags = [tag(number) for number in range(cards)]
    persons: list[tuple[int | None, int | None, int]] = [
        (None, 9999 if number % 2 else None, 0) for number in range(PERSONS)
    ]
    rows = [(mark, place % PERSONS, place % 3) for place, mark in enumerate(tags)]
    windows = [(group, 1, 0x7F, 0, 1440) for group in range(3)]
    file = records_build.build(KEYS, 1, 0, 0, 0, windows, persons, rows)
    (tmp_path / "cache").write_bytes(file)
    (tmp_path / "tags").write_bytes(b"".join(tags))
    strangers = b"".join(tag(number) for number in range(cards, cards + 2000))
    (tmp_path / "strangers").write_bytes(strangers)
    done = subprocess.run(  # noqa: PLW1510 - the status is the result
        [
            Path(sys.executable).with_name("micropython"),
            HERE / "cache_reads.py",
            *(tmp_path / name for name in ("cache", "tags", "strangers")),
            HERE.parent / "firmware",
        ],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    most, mean, strangers_most, _ = map(int, done.stdout.split())
    assert 1 <= mean / 100 <= most, "the counter counts"
    assert most <= MOST and strangers_most <= MOST, done.stdout
