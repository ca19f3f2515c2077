"""A board's serial port, with the tools that people use on it: the real mpremote and the real ampy."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from lab_profiles import STRIKE, profile
from watching import PATIENCE_S, until

from doorward_lab import Board, Cause, Lab

Program = Callable[..., Path]

COUNTS = """
import time
from machine import Pin, WDT
strike = Pin(25, Pin.OUT, value=0)
print("main runs")
while True:
    strike(1 - strike())
    time.sleep_ms(20)
"""


async def run(*command: str, timeout: float = 40) -> tuple[int, str]:
    """Run a tool and return its status and all that it said."""
    tool = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        said, _ = await asyncio.wait_for(tool.communicate(), timeout)
    except TimeoutError:
        tool.kill()
        said, _ = await tool.communicate()
        raise AssertionError(f"{command} hung: {said!r}") from None
    return tool.returncode or 0, said.decode()


async def mpremote(board: Board, *words: str) -> str:
    assert board.serial is not None
    status, said = await run("mpremote", "connect", str(board.serial.path), *words)
    assert status == 0, said
    return said


async def ampy(board: Board, *words: str) -> str:
    assert board.serial is not None
    status, said = await run("ampy.cli", "-p", str(board.serial.path), "-d", "0", *words)
    assert status == 0, said
    return said


@pytest.fixture
async def board(lab: Lab, program: Program) -> Board:
    firmware = program(main=COUNTS, boot="print('boot runs')\n")
    return await lab.start_board(profile(), firmware=firmware, serial=True)


async def test_mpremote_interrupts_what_runs_and_executes(board: Board) -> None:
    await board.wait_edge(STRIKE, 1, PATIENCE_S)
    said = await mpremote(board, "resume", "exec", "print(6 * 7, 'strike' in globals())")
    # The program's own names are there, as they are on a board.
    assert said.splitlines()[-1] == "42 True"
    assert [cause for cause, _ in board.starts] == [Cause.POWER_ON]
    assert any("KeyboardInterrupt" in line for line in board.log)
    count = len(board.edges)
    await asyncio.sleep(0.1)
    assert len(board.edges) == count


async def test_a_soft_reset_in_raw_mode_runs_boot_but_not_main(board: Board) -> None:
    await board.wait_log("main runs", PATIENCE_S)
    said = await mpremote(board, "exec", "print('strike' in globals())")
    assert said.split() == ["False"]
    assert [cause for cause, _ in board.starts] == [Cause.POWER_ON, Cause.SOFT]
    assert [line for line in board.log if line.endswith(" runs")] == [
        "boot runs",
        "main runs",
        "boot runs",
    ]


async def test_soft_and_hard_reset(board: Board) -> None:
    await board.wait_log("main runs", PATIENCE_S)
    await mpremote(board, "soft-reset")
    assert [cause for cause, _ in board.starts] == [Cause.POWER_ON, Cause.SOFT]
    board.log.clear()
    await mpremote(board, "reset")
    await board.wait_log("main runs", PATIENCE_S)
    assert [cause for cause, _ in board.starts][-1] is Cause.HARD


async def test_files_go_both_ways_and_last(board: Board, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    content = os.urandom(6000)
    (tree / "random.bin").write_bytes(content)
    (tree / "empty").write_bytes(b"")
    await mpremote(board, "fs", "cp", "-r", str(tree), ":/")
    assert "random.bin" in await mpremote(board, "resume", "fs", "ls", ":/tree")
    await mpremote(board, "reset")
    await until(lambda: board.starts[-1][0] is Cause.HARD, board)
    await mpremote(board, "fs", "cp", ":/tree/random.bin", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == content
    said = await mpremote(board, "resume", "fs", "rm", ":/tree/empty", "+", "fs", "ls", ":/tree")
    assert "empty" not in said.splitlines()[-1]


async def test_a_script_that_fails_says_so(board: Board) -> None:
    assert board.serial is not None
    status, said = await run(
        "mpremote", "connect", str(board.serial.path), "exec", "raise ValueError(3)"
    )
    assert status == 1
    assert "ValueError: 3" in said


async def test_ampy(board: Board, tmp_path: Path) -> None:
    content = os.urandom(3000)
    (tmp_path / "up").write_bytes(content)
    await ampy(board, "put", str(tmp_path / "up"), "/up.bin")
    (tmp_path / "script.py").write_text("import os\nprint(os.stat('/up.bin')[6])\n")
    assert (await ampy(board, "run", str(tmp_path / "script.py"))).strip() == "3000"
    await ampy(board, "get", "/up.bin", str(tmp_path / "down"))
    assert (tmp_path / "down").read_bytes() == content
    assert "/up.bin" in await ampy(board, "ls")


async def test_a_bare_loop_is_interrupted(lab: Lab, program: Program) -> None:
    board = await lab.start_board(
        profile(), firmware=program(main="while True: pass\n"), serial=True
    )
    assert await mpremote(board, "exec", "print(1)") == "1\r\n"


async def test_an_interrupt_that_ends_the_process_leaves_the_prompt(board: Board) -> None:
    await mpremote(board, "resume", "exec", "print(1)")
    starts = len(board.starts)
    assert board.pid is not None
    os.kill(board.pid, signal.SIGINT)  # as a ^C at the very end of what ran
    assert await mpremote(board, "resume", "exec", "print('strike' in globals())") == "False\r\n"
    assert len(board.starts) == starts + 1
    assert [line for line in board.log if line.endswith(" runs")] == ["boot runs", "main runs"]


async def test_an_interrupt_while_it_starts_is_for_what_runs_then(board: Board) -> None:
    assert board.serial is not None
    await board.wait_log("main runs", PATIENCE_S)
    port = os.open(board.serial.path, os.O_RDWR | os.O_NOCTTY)
    try:
        for _ in range(3):
            starts = len(board.starts)
            os.write(port, b"\x03\x04")  # to the prompt, and a soft reset
            async with asyncio.timeout(PATIENCE_S):
                while len(board.starts) == starts:  # noqa: ASYNC110 - the lab keeps no event for it
                    await asyncio.sleep(0)
            board.log.clear()
            os.write(port, b"\x03")
            await board.wait_log("KeyboardInterrupt", PATIENCE_S)
        said = await mpremote(
            board, "resume", "exec", "import os\nprint('main.py' in os.listdir('/'))"
        )
        assert said.splitlines()[-1] == "True"
    finally:
        os.close(port)


async def test_the_watchdog_bites_at_the_prompt(lab: Lab, program: Program) -> None:
    main = "import time\nfrom machine import WDT\ndog = WDT(timeout=1000)\nprint('main runs')\n"
    main += "while True:\n    dog.feed()\n    time.sleep_ms(20)\n"
    board = await lab.start_board(profile(), firmware=program(main=main), serial=True)
    # A soft reset does not stop it either.
    await mpremote(board, "exec", "print(1)")
    async with asyncio.timeout(PATIENCE_S):
        while board.starts[-1][0] is not Cause.WATCHDOG:  # noqa: ASYNC110 - the lab keeps no event for it
            await asyncio.sleep(0.05)
    assert [cause for cause, _ in board.starts] == [Cause.POWER_ON, Cause.SOFT, Cause.WATCHDOG]
    # A longer period, asked for at the prompt, is the one that counts (esp_task_wdt_reconfigure).
    await mpremote(board, "exec", "from machine import WDT\nWDT(timeout=60000)")
    await asyncio.sleep(1.5)
    assert [cause for cause, _ in board.starts][-1] is Cause.SOFT


async def test_opening_the_port_resets_a_board_that_is_wired_so(board: Board) -> None:
    assert board.serial is not None
    await board.wait_log("main runs", PATIENCE_S)
    board.serial.resets_on_open = True
    board.log.clear()
    port = os.open(board.serial.path, os.O_RDWR | os.O_NOCTTY)
    try:
        await board.wait_log("main runs", PATIENCE_S)
        assert [cause for cause, _ in board.starts] == [Cause.POWER_ON, Cause.HARD]
        assert b"rst:0xc (SW_CPU_RESET)" in os.read(port, 4096)
    finally:
        os.close(port)
    # A tool has to wait for the board's start before it types; ampy can.
    assert "/main.py" in await ampy(board, "-d", "1", "ls")


async def test_the_cable_is_pulled(board: Board, tmp_path: Path) -> None:
    assert board.serial is not None
    (tmp_path / "up").write_bytes(os.urandom(20_000))
    board.serial.unplug_after(5000)
    status, said = await run(
        "mpremote", "connect", str(board.serial.path), "fs", "cp", str(tmp_path / "up"), ":/up"
    )
    assert status != 0, said
    assert not board.serial.is_plugged
    assert not board.serial.path.exists()
    assert await board.wait_cut(PATIENCE_S)
    assert not board.is_on
    # LittleFS: what was not closed is not there.
    await board.power_on()
    said = await mpremote(
        board, "exec", "import os\nprint(sum(e[3] for e in os.ilistdir('/') if e[0] == 'up'))"
    )
    assert said.split() == ["0"]
    assert board.starts[-2][0] is Cause.POWER_ON


async def test_an_empty_board_is_at_its_prompt(lab: Lab) -> None:
    board = await lab.start_board({"id": "empty"}, serial=True, flash_it=False)
    # Our own shim's place, and nothing else.
    assert await mpremote(board, "exec", "import os\nprint(os.listdir('/'))") == "['.chip']\r\n"
