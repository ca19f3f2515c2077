"""A loop of the board that stops turning is noticed, named, and ended by a new start, whichever it is."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from firmware_copy import planted
from scripted_gateway import profile
from watching import PATIENCE_S

from doorward_lab import Cause
from doorward_lab.lab import Lab

HEAP_KIB = 144

# The loop, and where it sleeps.
LOOPS: dict[str, tuple[str, str]] = {
    "door": ("app", "await asyncio.sleep_ms(_DOOR_MS)"),
    "background": ("app", "await asyncio.sleep_ms(_BACKGROUND_MS)"),
    "reader": ("reader", "await asyncio.sleep_ms(left if left > 0 else 0)"),
    "link": ("link", "await asyncio.sleep_ms(_LOOK_MS)"),
    "wifi": ("wifi", "await asyncio.sleep_ms(ms)"),
}
SLOW = ("link", "wifi")


def installed(port: int, name: str) -> dict[str, Any]:
    return profile(port, name) | {"wifi": {"ssid": "school", "password": "right"}}


def stuck(folder: Path, name: str) -> Path:
    """Firmware in which that loop stops three seconds after the board's start.

    It may not be slow: then this takes no minute. The others may, they rest for seconds.
    """
    module, sleep = LOOPS[name]
    folder.mkdir()
    stops = sleep.replace("sleep_ms(", "sleep_ms(10**6 if ticks_ms() > 3000 else ")
    firmware = planted(folder, f"doorward_node/{module}.py", sleep, stops)
    if name in SLOW:
        opening = firmware / "doorward_node/opening.py"
        source = opening.read_text()
        watched = f'("{name}", {name}, "alive", _SLOW_MS)'
        assert watched in source
        opening.write_text(source.replace(watched, watched.replace("_SLOW_MS", "_SILENCE_MS")))
    return firmware


@pytest.mark.timeout(600)  # five firmwares are compiled for it
async def test_each_loop_is_missed(lab: Lab, port: int, tmp_path: Path) -> None:
    async def missed(name: str) -> None:
        firmware = stuck(tmp_path / name, name)
        board = await lab.start_board(
            installed(port, name), heap_kib=HEAP_KIB, firmware=firmware, ticks_ms=0
        )
        await board.wait_log(f"RuntimeError: {name}: silent", PATIENCE_S)
        assert all(cause is not Cause.WATCHDOG for cause, _ in board.starts)

    await asyncio.gather(*(missed(name) for name in LOOPS))


@pytest.mark.parametrize("name", ["door", "link"])
async def test_a_supervisor_that_says_nothing_is_ended_by_the_watchdog(
    name: str, lab: Lab, port: int, tmp_path: Path
) -> None:
    firmware = stuck(tmp_path / name, name)
    supervisor = firmware / "doorward_node/supervisor.py"
    source = supervisor.read_text()
    assert "silent and looks >= _LOOKS" in source
    supervisor.write_text(source.replace("silent and looks >= _LOOKS", "False"))
    board = await lab.start_board(
        installed(port, name), heap_kib=HEAP_KIB, firmware=firmware, ticks_ms=0
    )
    await board.wait_log("the watchdog was not fed", PATIENCE_S)
