"""A new firmware on trial: one that fails, hangs or never reaches the gateway is gone by itself, a good one stays."""

import shutil
from pathlib import Path

import pytest
from firmware_copy import FIRMWARE
from scripted_gateway import MEMBER, ScriptedGateway, profile
from watching import PATIENCE_S, until

from doorward_core import topics
from doorward_lab import Board, Lab, build

STRIKE = 25
HEAP_KIB = 144
OLD, NEW = b'"firmware":"0.1.0"', b'"firmware":"9.0.0"'
VERSION = ("doorward_node/__init__.py", 'VERSION = "0.1.0"', 'VERSION = "9.0.0"')
SOON = ("doorward_node/trial.py", "_STEADY_S = const(10)", "_STEADY_S = const(1)")
# Switches to slot b at the first start alone, as the installer would have done.
ONCE = """
import os
if "tried" not in os.listdir("/"):
    open("/tried", "w").close()
    with open("/slot", "w") as file:
        file.write("b 0 a 0 3")
"""

# A board as one has it who copies the firmware's folder onto it: no slot at all.
BY_HAND = """
import os
if "slot" in os.listdir("/"):
    os.remove("/slot")
    os.remove("/a/manifest.json")
    for name in os.listdir("/a"):
        os.rename("/a/" + name, "/" + name)
    os.rmdir("/a")
"""


async def on_trial(lab: Lab, port: int, folder: Path, *faults: tuple[str, str, str]) -> Board:
    """A board with the firmware in slot a, and the same with these changes on trial in b."""
    copy = shutil.copytree(FIRMWARE, folder / "firmware")
    new = shutil.copytree(FIRMWARE, folder / "new")
    for file, old, planted in (VERSION, *faults):
        source = (new / file).read_text()
        assert old in source, "the code that this test changes has changed"
        (new / file).write_text(source.replace(old, planted))
    staged = folder / "staged"
    staged.mkdir()
    build.stage(new, staged, folder / "compiled")
    shutil.copytree(staged / build.SLOT, copy / "b")
    (copy / "boot.py").write_text((copy / "boot.py").read_text() + ONCE)
    # What hangs is not waited for as long as on a wall.
    main = (copy / "main.py").read_text()
    assert "timeout=30000" in main
    (copy / "main.py").write_text(main.replace("timeout=30000", "timeout=2000"))
    return await lab.start_board(profile(port), firmware=copy, heap_kib=HEAP_KIB)


def hellos(gateway: ScriptedGateway, version: bytes) -> int:
    return sum(version in said for suffix, said in gateway.heard if suffix == topics.ONLINE)


async def opens(board: Board) -> None:
    board.present(MEMBER)
    await board.wait_edge(STRIKE, 1, PATIENCE_S)
    board.remove()


FAULTS = {
    "cannot be loaded": [("doorward_node/supervisor.py", "import asyncio\n", "import nothing\n")],
    "hangs while it loads": [
        ("doorward_node/supervisor.py", "import asyncio\n", "while True:\n    pass\n")
    ],
    "fails at work": [
        ("doorward_node/app.py", "self.journal.flush()", "raise RuntimeError('new')")
    ],
    "hangs at work": [
        ("doorward_node/app.py", "self.journal.flush()", "while True:\n                pass")
    ],
    "refuses its config": [("doorward_node/config.py", '"id"', '"no such name"')],
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_firmware_that_does_not_work_is_gone_after_three_starts(
    fault: str, lab: Lab, port: int, gateway: ScriptedGateway, tmp_path: Path
) -> None:
    board = await on_trial(lab, port, tmp_path, *FAULTS[fault])
    await until(lambda: hellos(gateway, OLD) > 0, board, seconds=60)
    assert len(board.starts) == 4, board.starts
    await opens(board)


async def test_a_firmware_that_never_hears_the_gateway_goes_after_its_time(
    lab: Lab, port: int, gateway: ScriptedGateway, tmp_path: Path
) -> None:
    deaf = ("doorward_node/app.py", "if uptime >= self._time_due:", "if False:")
    soon = ("doorward_node/trial.py", "_DEADLINE_S = const(600)", "_DEADLINE_S = const(3)")
    board = await on_trial(lab, port, tmp_path, deaf, soon, SOON)
    await until(lambda: hellos(gateway, OLD) > 0, board, seconds=60)
    assert hellos(gateway, NEW) == 1
    assert len(board.starts) == 2
    await until(lambda: any("no health" in str(data) for data in gateway.events_of("boot")), board)
    await opens(board)


async def test_a_firmware_that_works_stays(
    lab: Lab, port: int, gateway: ScriptedGateway, tmp_path: Path
) -> None:
    board = await on_trial(lab, port, tmp_path, SOON)
    await until(lambda: hellos(gateway, NEW) == 1, board)
    await opens(board)
    await board.wait_log("update: confirmed", PATIENCE_S)
    for starts in range(2, 6):
        await board.kill()
        await board.power_on()
        await until(lambda wanted=starts: hellos(gateway, NEW) == wanted, board)
    assert hellos(gateway, OLD) == 0

    # A flash tool puts another one there: that one starts.
    await lab.stop_board("front")
    board = await lab.start_board(profile(port), heap_kib=HEAP_KIB)
    await until(lambda: hellos(gateway, OLD) == 1, board)


async def test_a_firmware_that_was_copied_by_hand_needs_no_slot(
    lab: Lab, port: int, gateway: ScriptedGateway, tmp_path: Path
) -> None:
    copy = shutil.copytree(FIRMWARE, tmp_path / "firmware")
    (copy / "boot.py").write_text((copy / "boot.py").read_text() + BY_HAND)
    board = await lab.start_board(profile(port), firmware=copy, heap_kib=HEAP_KIB)
    await until(lambda: hellos(gateway, OLD) == 1, board)
    await opens(board)
