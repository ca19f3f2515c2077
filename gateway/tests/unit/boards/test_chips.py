"""What is said about the chips agrees with itself, with the development boards, and with the lab's chips."""

import ast
import re

import pytest

from doorward.boards.chips import CHIPS, Chip
from doorward.boards.devkits import KITS
from doorward.data import data_root

SHIM = data_root() / "lab" / "shim"


def numbers(mask: int) -> set[int]:
    return {pin for pin in range(64) if mask >> pin & 1}


def lab_masks() -> dict[str, tuple[int, int]]:
    """The lab's own masks, written by another hand: pins that there are, and pins that can only be read."""
    own = dict(
        re.findall(
            r"^(existing|input_only) = (\w+)", (SHIM / "machine.py").read_text(), re.MULTILINE
        )
    )
    text = (SHIM / "lab_parts" / "power_on.py").read_text()
    found = re.search(r"^_CHIPS = ({.*?})$", text, re.MULTILINE | re.DOTALL)
    assert found
    others: dict[str, tuple[int, int]] = ast.literal_eval(found[1])
    return {"esp32": (int(own["existing"], 0), int(own["input_only"], 0)), **others}


@pytest.mark.parametrize("chip", CHIPS.values(), ids=CHIPS)
def test_the_lab_has_the_same_pins(chip: Chip) -> None:
    existing, input_only = lab_masks()[chip.name]
    assert numbers(existing) == chip.pins
    assert numbers(input_only) == chip.input_only


@pytest.mark.parametrize("chip", CHIPS.values(), ids=CHIPS)
def test_its_groups_are_of_its_own_pins_and_do_not_overlap(chip: Chip) -> None:
    groups = (chip.flash, chip.usb, chip.uart0, frozenset(chip.strapping))
    for group in (*groups, chip.input_only, chip.adc1, chip.adc2, chip.pulled, chip.driven):
        assert chip.pins >= set(group)
    assert sum(map(len, groups)) == len(frozenset().union(*groups))
    assert not chip.adc1 & chip.adc2
    assert len(chip.free()) >= 8


@pytest.mark.parametrize("chip", CHIPS.values(), ids=CHIPS)
def test_a_pin_is_on_the_board_once(chip: Chip) -> None:
    kit = KITS[chip.name]
    brought_out = [header.gpio for header in (*kit.left, *kit.right) if header.gpio is not None]
    assert len(brought_out) == len(set(brought_out))
    assert set(brought_out) <= chip.pins
    # The modules keep these two to themselves.
    assert chip.free() - set(brought_out) == ({37, 38} if chip.name == "esp32" else set())
    assert len(kit.left) == len(kit.right)
    labels = {header.label for header in (*kit.left, *kit.right)}
    assert {"GND", "3V3", "5V"} <= labels
