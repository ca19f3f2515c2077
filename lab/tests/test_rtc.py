"""A chip's clock and the memory that survives a reset; and that TLS judges by that clock."""

from collections.abc import Callable
from pathlib import Path

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
    await board.power_on()
    await board.wait_log("has b'' 2000", PATIENCE_S)
    assert board.starts[-1][0] is Cause.POWER_ON
