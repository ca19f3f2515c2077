"""Whether a profile can go onto a board, by what the board says of itself."""

import pytest

from doorward.flash.board import Facts, check, facts
from doorward.flash.errors import FlashError

BOARDS = ["door-esp32", "door-esp32-c3", "lamp-esp32"]


def board(release: str = "1.28.0", machine: str = "Generic ESP32 module with ESP32") -> Facts:
    said = {"release": release, "machine": machine, "free": 1, "slot": [], "config": {}}
    return facts({**said, "manifest": None, "boot": None, "main": None, "tls": [True, True, False]})


@pytest.mark.parametrize("release", ["1.28.0", "1.28.0-preview", "1.30", "2.0.0"])
def test_a_board_that_fits(release: str) -> None:
    check(board(release), "door-esp32", "esp32", BOARDS)
    assert not board().has_keys
    assert board().name is None


@pytest.mark.parametrize("release", ["1.27.9", "1.9.4", "0.9", "", "preview"])
def test_an_old_micropython_is_refused(release: str) -> None:
    with pytest.raises(FlashError, match="too old") as error:
        check(board(release), "door-esp32", "esp32", BOARDS)
    assert "1.28 or newer" in error.value.remedy


def test_another_chip_is_refused_with_the_profile_that_fits() -> None:
    other = board(machine="ESP32C3 module with ESP32C3")
    with pytest.raises(FlashError, match="has an ESP32-C3") as error:
        check(other, "door-esp32", "esp32", BOARDS)
    assert error.value.remedy == "use --board door-esp32-c3"
    with pytest.raises(FlashError, match="has an ESP32-C3") as error:
        check(other, "lamp-esp32", "esp32", BOARDS)
    assert error.value.remedy == "see `doorward board list`"
    with pytest.raises(FlashError, match="no profile for that chip"):
        check(board(machine="Raspberry Pi Pico with RP2040"), "door-esp32", "esp32", BOARDS)


def test_an_answer_that_is_none_is_refused() -> None:
    for said in ({}, {"release": "1.28.0"}):
        with pytest.raises(FlashError, match="makes no sense"):
            facts(said)
