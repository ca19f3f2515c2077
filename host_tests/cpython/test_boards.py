"""Every board file: pins that exist, that can do what is asked of them, and none used twice."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

BOARDS = sorted((Path(__file__).parents[2] / "boards").glob("*.toml"))

# ESP32 data sheet, 2.2 and 2.4: what each pin must not be used for.
EXISTING = {*range(24), *range(25, 28), *range(32, 40)}
FLASH = set(range(6, 12))
STRAPPING = {0, 2, 5, 12, 15}
CONSOLE = {1, 3}
INPUT_ONLY = set(range(34, 40))
INPUTS = {("contact", "pin"), ("reader", "miso")}
NOT_PINS = {"active", "closed", "spi"}


def used(board: dict[str, dict[str, dict[str, int]]]) -> Iterator[tuple[str, str, int]]:
    for part, pins in board["pins"].items():
        for name, number in pins.items():
            if name not in NOT_PINS:
                yield part, name, number


@pytest.mark.parametrize("file", BOARDS, ids=lambda file: file.stem)
def test_pins(file: Path) -> None:
    board = tomllib.loads(file.read_text())
    pins = list(used(board))
    numbers = [number for _, _, number in pins]
    assert len(set(numbers)) == len(numbers), "a pin is used twice"
    for part, name, number in pins:
        where = f"{part}.{name} on GPIO {number}"
        assert number in EXISTING - FLASH - CONSOLE, f"{where} is not free on a DevKit"
        assert number not in INPUT_ONLY or (part, name) in INPUTS, f"{where} cannot be an output"
        assert part != "strike" or number not in STRAPPING, f"{where} moves while the chip boots"
    assert set(board["wiring"]) >= set(board["pins"]), "a part without wiring notes"


def test_there_is_a_board() -> None:
    assert BOARDS
