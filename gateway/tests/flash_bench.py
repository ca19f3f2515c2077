"""A board at a USB port, a small firmware with the real loader and installer, and a gateway that hears it start.

For tests of flashing that are about the cable and the tools, not about doors.
"""

import asyncio
import random
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from doorward.data import data_root
from doorward.flash import Job, Options, Result, Wifi, chosen, find
from doorward_lab import Board

NAME = "cut"
SIGNER = "c2lnbmVy"


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
        self.name = NAME
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
        return [{"id": self.name, "state": "announced", "heard_at": self._heard}]

    def adopt(self, name: str, profile: str, broker: str | None, *, again: bool) -> dict[str, Any]:
        self.adoptions += 1
        self._adopted = True
        tls = dict.fromkeys(("ca.der", "cert.der", "key.der"), "c2VjcmV0")
        config = {"id": name, "board": profile, "broker": {}, **PROFILE}
        return {"config": config, "tls": tls, "firmware_key": SIGNER}


PROFILE: dict[str, Any] = {"role": "door", "pins": {}}


def running(board: Board) -> list[str]:
    """The versions that have started, in order."""
    return [line.split()[1] for line in board.log if line.startswith("firmware ")]


def options(folder: Path, version: str) -> Options:
    """As the command has them, with this version of the small firmware."""
    return Options(
        "door-esp32",
        "esp32",
        PROFILE,
        ["door-esp32"],
        NAME,
        firmware(folder / "firmware", version),
        folder / "state",
        lambda: Wifi("home", "password"),
        wait_s=20,
    )


class Bench:
    """One board, and everything that flashing it takes."""

    def __init__(self, board: Board, folder: Path) -> None:
        self.board = board
        self.gateway = Heard(board)
        self.folder = folder
        self.said: list[str] = []

    def _flash(self, version: str, tool: str | None, changes: dict[str, Any]) -> Result:
        assert self.board.serial is not None
        port = find(str(self.board.serial.path))
        wanted = replace(options(self.folder, version), **changes)
        job = Job(wanted, port, chosen(port, tool), self.gateway, self.said.append, lambda *_: None)
        return job.run()

    async def flash(self, version: str, tool: str | None = "mpremote", **changes: Any) -> Result:
        """Raises DoorwardError; changes: of the options."""
        return await asyncio.to_thread(self._flash, version, tool, changes)

    async def starts(self, *versions: str) -> str:
        """Give it power; it has to start one of these."""
        assert await self.board.wait_cut(5)
        self.board.log.clear()
        await self.board.power_on()
        await self.board.wait_log("firmware ", 15)
        found = running(self.board)[-1]
        assert found in versions, self.board.log
        return found
