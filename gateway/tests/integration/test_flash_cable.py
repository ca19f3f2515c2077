"""The cable is pulled while a board is flashed: it always starts a whole firmware, and the next run finishes the job.

The firmware is a small one with the real loader and the real installer; the tools are the real ones. It says which
version it is when it starts, and a gateway that only counts heartbeats hears that.
"""

import asyncio
import os
import random
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from doorward.data import data_root
from doorward.errors import DoorwardError
from doorward.flash import Job, Options, Result, Wifi, chosen, find
from doorward_lab import Board, Lab

NAME = "cut"
SEED = int(os.environ.get("DOORWARD_FLASH_SEED", "5"))
CUTS = int(os.environ.get("DOORWARD_FLASH_CUTS", "5"))
# Bulk that takes some scripts to send, and changes with every version.
BULK = 'VALUE = "{version} {filler}"\n'
SUPERVISOR = """
import sys
from time import sleep_ms
from doorward_core import bulk
from doorward_node import VERSION
from machine import WDT
def main(trial):
    watchdog = WDT(timeout=3000)
    print("firmware", VERSION, bulk.VALUE[:12].strip(), "runs")
    while True:
        watchdog.feed()
        sleep_ms(20)
"""


def firmware(folder: Path, version: str) -> Path:
    """A firmware with this version, in place of the one before it."""
    shutil.rmtree(folder, ignore_errors=True)
    real = data_root() / "firmware"
    for name in ("doorward_core", "doorward_drivers", "doorward_node"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text("")
    filler = random.Random(version).randbytes(5000).hex()
    (folder / "doorward_core" / "bulk.py").write_text(BULK.format(version=version, filler=filler))
    (folder / "doorward_node" / "__init__.py").write_text(f'VERSION = "{version}"\n')
    (folder / "doorward_node" / "supervisor.py").write_text(SUPERVISOR)
    shutil.copy(real / "doorward_node" / "install.py", folder / "doorward_node")
    for name in ("boot.py", "main.py"):
        shutil.copy(real / name, folder)
    return folder


class Heard:
    """A gateway as far as flashing asks one. It hears a board when that says that it runs."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._adopted = False
        self.adoptions = 0
        self._since = 0
        self._heard: str | None = None

    def boards(self) -> list[dict[str, Any]]:
        if not self._adopted:
            return []
        runs = len(running(self._board))
        if runs != self._since:
            self._since, self._heard = runs, datetime.now(UTC).isoformat()
        return [{"id": NAME, "state": "announced", "heard_at": self._heard}]

    def adopt(self, name: str, profile: str, broker: str | None, *, again: bool) -> dict[str, Any]:
        self.adoptions += 1
        self._adopted = True
        tls = dict.fromkeys(("ca.der", "cert.der", "key.der"), "c2VjcmV0")
        return {"config": {"id": name, "board": profile, "broker": {}, **PROFILE}, "tls": tls}


PROFILE: dict[str, Any] = {"role": "door", "pins": {}}


def running(board: Board) -> list[str]:
    """The versions that have started, in order."""
    return [line.split()[1] for line in board.log if line.startswith("firmware ")]


class Bench:
    """One board, and everything that flashing it takes."""

    def __init__(self, board: Board, folder: Path) -> None:
        self.board = board
        self.gateway = Heard(board)
        self.folder = folder

    def _flash(self, version: str) -> Result:
        assert self.board.serial is not None
        options = Options(
            "door-esp32",
            "esp32",
            PROFILE,
            ["door-esp32"],
            NAME,
            firmware(self.folder / "firmware", version),
            self.folder / "state",
            lambda: Wifi("home", "password"),
            wait_s=20,
        )
        port = find(str(self.board.serial.path))
        job = Job(
            options, port, chosen(port, "mpremote"), self.gateway, lambda _: None, lambda *_: None
        )
        return job.run()

    async def flash(self, version: str) -> Result:
        return await asyncio.to_thread(self._flash, version)

    async def starts(self, *versions: str) -> str:
        """Give it power; it has to start one of these."""
        assert await self.board.wait_cut(5)
        self.board.log.clear()
        await self.board.power_on()
        await self.board.wait_log("firmware ", 15)
        found = running(self.board)[-1]
        assert found in versions, self.board.log
        return found


@pytest.fixture
async def bench(lab: Lab, tmp_path: Path) -> Bench:
    board = await lab.start_board({"id": "usb"}, heap_kib=160, serial=True, flash_it=False)
    return Bench(board, tmp_path)


async def test_pulled_at_any_byte_a_board_starts_a_whole_firmware(bench: Bench) -> None:
    board, serial = bench.board, bench.board.serial
    assert serial is not None
    await bench.flash("0")
    serial.unplug()
    await bench.starts("0")
    first = await bench.flash("1")
    assert (first.slot, running(board)[-1]) == ("b", "1")
    whole = serial.received
    assert first.bytes > 5000
    places = random.Random(SEED)
    for number in range(CUTS):
        old, new = str(number + 1), str(number + 2)
        serial.unplug_after(1 + whole * number // CUTS + places.randrange(whole // CUTS))
        with pytest.raises(DoorwardError):
            await bench.flash(new)
        await bench.starts(old, new)
        done = await bench.flash(new)
        assert (done.version, running(board)[-1]) == (new, new)
        serial.unplug()
        await bench.starts(new)
    assert bench.gateway.adoptions == 1


async def test_pulled_at_its_first_flash_a_board_loses_no_keys(bench: Bench) -> None:
    serial = bench.board.serial
    assert serial is not None
    for at in (2_000, 9_000, 20_000):
        serial.unplug_after(at)
        with pytest.raises(DoorwardError):
            await bench.flash("0")
        assert await bench.board.wait_cut(5)
        await bench.board.power_on()
    waiting = bench.folder / "state" / NAME
    assert bench.gateway.adoptions == 1
    assert (waiting / "config.json").stat().st_mode & 0o777 == 0o600
    assert waiting.stat().st_mode & 0o777 == 0o700
    done = await bench.flash("0")
    assert running(bench.board)[-1] == "0"
    assert done.files > 0
    assert bench.gateway.adoptions == 1, "the keys of the first run are the board's"
    assert not waiting.exists()
