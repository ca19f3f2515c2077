"""A chip's clock and the memory that survives a reset; and that TLS judges by that clock."""

import struct
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from watching import PATIENCE_S

from doorward_lab import Cause, rtc
from doorward_lab.lab import Lab

Program = Callable[..., Path]
PROFILE = {"id": "front", "pins": {}}
IDLE = "\nwhile True:\n    machine.Pin(4, machine.Pin.IN).value()\n    time.sleep_ms(5)\n"


async def test_memory_and_clock_outlive_a_reset_and_not_a_power_cut(
    lab: Lab, program: Program
) -> None:
    main = (
        "import machine, time\nr = machine.RTC()\nprint('has', r.memory(), r.datetime()[0])\n"
        "if not r.memory():\n"
        "    r.memory(b'note')\n    r.datetime((2031, 5, 6, 0, 7, 8, 9, 0))\n    machine.reset()\n"
        "print('at', machine.RTC().datetime()[:6])\n"
    )
    board = await lab.start_board(PROFILE, firmware=program(main=main + IDLE), boot_clock=rtc.BOOT)
    await board.wait_log("has b'note' 2031", PATIENCE_S)
    assert board.log[0] == "has b'' 2000"
    # A Tuesday, counted from Monday as 0.
    assert "at (2031, 5, 6, 1, 7, 8)" in await board.wait_log("at ", PATIENCE_S)
    board.log.clear()
    board.reset()
    await board.wait_log("has b'note' 2031", PATIENCE_S)
    board.log.clear()
    await board.kill()
    lives = len(board.starts)
    await board.power_on()
    await board.wait_log("has b'' 2000", PATIENCE_S)
    assert board.starts[lives][0] is Cause.POWER_ON


@pytest.mark.parametrize("fraction", [0.0, 0.25, 0.75])
def test_a_clock_begins_where_it_should_in_any_part_of_a_second(
    fraction: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000 + fraction)
    rtc.Rtc(tmp_path / "rtc", rtc.BOOT).power_up()
    (ahead,) = struct.unpack_from("<q", (tmp_path / "rtc").read_bytes())
    assert 2_000_000_000 + ahead == rtc.BOOT
