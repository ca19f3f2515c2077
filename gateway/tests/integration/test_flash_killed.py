"""kill -9 while a board is flashed, of the command or of mpremote with it: the same command again is all it takes.

DOORWARD_FLASH_KILLS says how often; the moments are those of the seed.
"""

import asyncio
import os
import random
import signal
import sys
from pathlib import Path

import pytest
from flash_bench import Bench, firmware, running

from doorward_lab import Lab

pytestmark = pytest.mark.timeout(1800)  # foreign tools, one process a step

SEED = int(os.environ.get("DOORWARD_FLASH_SEED", "5"))
KILLS = int(os.environ.get("DOORWARD_FLASH_KILLS", "3"))
_COMMAND = Path(__file__).parents[1] / "flash_alone.py"
_PATIENCE_S = 120.0


class Killer:
    """The command in a process of its own, and how far it comes."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.folder = bench.folder

    async def _start(self, version: str) -> asyncio.subprocess.Process:
        serial = self.bench.board.serial
        assert serial is not None
        return await asyncio.create_subprocess_exec(
            *(sys.executable, str(_COMMAND), str(serial.path), str(self.folder), version),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )

    async def killed(self, version: str, after: int, *, with_tool: bool) -> bool:
        """False when it was done before so many bytes had gone to the board."""
        serial = self.bench.board.serial
        assert serial is not None
        until = serial.received + after
        process = await self._start(version)
        said = asyncio.create_task(process.communicate())
        while serial.received < until and not said.done():  # noqa: ASYNC110 - counted by the port
            await asyncio.sleep(0.002)
        if said.done():
            return False
        tools = children(process.pid) if with_tool else []
        process.kill()
        for pid in tools:
            os.kill(pid, signal.SIGKILL)
        await process.wait()
        await said
        return True

    async def again(self, version: str) -> int:
        """The same command, as often as it says that its own mpremote still has the port. How often that was."""
        async with asyncio.timeout(_PATIENCE_S):
            for times in range(1000):
                process = await self._start(version)
                said, _ = await process.communicate()
                if process.returncode == 0:
                    return times
                assert b"in use by" in said, said.decode()
                await asyncio.sleep(0.2)
        raise AssertionError("the port is in use for ever")


def children(pid: int) -> list[int]:
    """The processes that it has started itself."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    try:
        return [int(word) for word in listed.read_text().split()]
    except OSError:
        return []


async def test_killed_at_any_moment_the_same_command_again_ends_well(
    lab: Lab, tmp_path: Path
) -> None:
    board = await lab.start_board({"id": "usb"}, heap_kib=160, serial=True, flash_it=False)
    bench, die = Bench(board, tmp_path), random.Random(SEED)
    assert board.serial is not None
    await bench.flash("0")
    before = board.serial.received
    await bench.flash("1")
    whole = board.serial.received - before
    killer, kills = Killer(bench), 0
    for number in range(KILLS):
        old, new = str(number + 1), str(number + 2)
        after = 1 + whole * number // KILLS + die.randrange(max(1, whole // KILLS))
        firmware(tmp_path / "firmware", new)
        kills += await killer.killed(new, after, with_tool=die.random() < 0.5)
        if die.random() < 0.5:
            # Somebody gives up and takes the board to its door.
            board.serial.unplug()
            assert await bench.starts(old, new) in (old, new)
        await killer.again(new)
        board.serial.unplug()
        await bench.starts(new)
        assert running(board)[-1] == new
    assert kills > KILLS // 2, "the positive control: most were killed on their way"
