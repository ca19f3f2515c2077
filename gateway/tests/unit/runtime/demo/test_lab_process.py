"""The process beside a demo: it may talk as much as it likes, and its end is noticed."""

import asyncio
import sys
from pathlib import Path

import pytest

from doorward.errors import StartupError
from doorward.runtime.demo.lab_process import LabProcess

MUCH = "'x' * (1 << 20)"


def lab(tmp_path: Path, script: str) -> tuple[LabProcess, asyncio.Event]:
    ended = asyncio.Event()
    command = (sys.executable, "-c", f"import sys, time\n{script}")
    return LabProcess(command, tmp_path / "logs" / "lab.log", ended.set), ended


async def started(process: LabProcess) -> None:
    await process.launch()
    process.go()
    await process.ready()


async def test_its_talk_stops_nothing_and_its_end_is_noticed(tmp_path: Path) -> None:
    talk = f"print('ready', flush=True); print({MUCH}); print({MUCH}, file=sys.stderr)"
    process, ended = lab(tmp_path, talk)
    await started(process)
    async with asyncio.timeout(20):
        await ended.wait()
    log = tmp_path / "logs" / "lab.log"
    assert log.stat().st_size > 1 << 20
    assert log.stat().st_mode & 0o777 == 0o600


async def test_its_boards_start_when_it_is_told_and_no_sooner(tmp_path: Path) -> None:
    process, _ = lab(tmp_path, "print(sys.stdin.readline(), flush=True); time.sleep(60)")
    await process.launch()
    ready = asyncio.create_task(process.ready())
    await asyncio.sleep(0.2)
    assert not ready.done()
    process.go()
    async with asyncio.timeout(20):
        await ready
    await process.stop()


async def test_being_stopped_is_no_end_of_its_own(tmp_path: Path) -> None:
    process, ended = lab(tmp_path, "print('ready', flush=True); time.sleep(60)")
    await started(process)
    async with asyncio.timeout(10):
        await process.stop()
    await asyncio.sleep(0)
    assert not ended.is_set()


async def test_one_that_does_not_start_is_quoted(tmp_path: Path) -> None:
    process, _ = lab(tmp_path, "sys.exit('lab: no card slot; buy one')")
    with pytest.raises(StartupError, match="did not start: lab: no card slot; buy one"):
        await started(process)
    await process.stop()
