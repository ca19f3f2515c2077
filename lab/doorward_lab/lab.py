"""A lab: boards in a directory, all of which end with it."""

import asyncio
import fcntl
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from doorward_lab import build, places, toolchain
from doorward_lab.board import Board
from doorward_lab.errors import LabError, SiteError
from doorward_lab.flash import Flash
from doorward_lab.rtc import Rtc
from doorward_lab.serial_port import SerialPort

# What the door firmware needs, with the shim in it and room to breathe (bench/firmware.py measures it).
DOOR_HEAP_KIB = 176
# What the MicroPython of boards calls itself at their prompt.
RELEASE = "1.28.0"

# One after the other: in two threads at a time CPython 3.11 loses count of how deep its ast.parse() is
# (https://github.com/python/cpython/issues/106905).
_BUILDING = threading.Lock()


class Lab:
    """`async with Lab(directory) as lab: board = await lab.start_board(profile)`.

    directory: keeps each board's flash (boards/ID), what boards printed (logs/ID.log) and compiled code (cache).
    """

    def __init__(self, directory: Path | str, *, cache: Path | None = None) -> None:
        """cache: where compiled code is kept, shared between labs if you like."""
        self.directory = Path(directory)
        self.boards: dict[str, Board] = {}
        self._cache = cache or self.directory / "cache"

    async def __aenter__(self) -> Self:
        """Make the directory and claim it. Raises LabError when another lab has it."""
        (self.directory / "logs").mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = (self.directory / "lab.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise LabError(
                f"another lab uses {self.directory}; stop it, or choose another directory"
            ) from None
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End every board and give the directory back."""
        await self.stop()
        self._lock.close()

    def compile(self, firmware: Path | str | None = None) -> None:
        """Do now what the first board with this firmware would wait for. Raises LabError."""
        folder = Path(firmware) if firmware is not None else places.firmware()
        with _BUILDING, tempfile.TemporaryDirectory(dir=self.directory) as staged:
            build.stage(folder, Path(staged), self._cache)
            build.rom(places.shim(), self._cache)

    async def start_board(
        self,
        profile: Mapping[str, Any],
        *,
        firmware: Path | str | None = None,
        heap_kib: int = DOOR_HEAP_KIB,
        ticks_ms: int | None = None,
        serial: bool | str = False,
        flash_it: bool = True,
        boot_clock: float | None = None,
        log_kib: int = 0,
    ) -> Board:
        """Flash a board and power it on; returns when its program is about to run.

        profile: its config.json, of which the lab reads "id" and "pins". firmware: any folder with a main.py; by
        default the door firmware. A flash that exists keeps its data files. ticks_ms: what its ticks begin at, which
        then wrap at 2^30 as an ESP32's do; None for the laptop's own. serial: with a serial port, at serial/ID in the
        directory of the lab; a version instead of True is what MicroPython calls itself there. flash_it: False leaves
        the flash as it is, empty when it is new. boot_clock: what its clock says after each power-on, as Unix time
        (rtc.BOOT on an ESP32); None for the laptop's. log_kib: what it gets of a partition "dwlog"; its log is in files
        without one. Raises LabError.
        """
        identity = self._new_id(profile)
        folder = Path(firmware) if firmware is not None else places.firmware()
        flash = Flash(self.directory / "boards" / identity, self._cache)
        used, rom = await asyncio.to_thread(
            self._prepare, flash, folder if flash_it else None, profile
        )
        flash.give_log(log_kib)
        rtc = Rtc(flash.image.with_suffix(".rtc"), boot_clock)
        command = toolchain.interpreter_command(
            rom, "lab_start", heap_kib=heap_kib, prompt=bool(serial), rtc=rtc.path
        )
        log_file = self.directory / "logs" / f"{identity}.log"
        port = self._serial_port(identity, serial)
        board = Board(profile, command, flash.image, log_file, ticks_ms, port, rtc)
        board.flash_bytes = used
        await self._power_on(board)
        return board

    def board(self, identity: str) -> Board:
        """Return a board by its id. Raises LabError."""
        try:
            return self.boards[identity]
        except KeyError:
            known = ", ".join(sorted(self.boards)) or "none"
            raise LabError(f"there is no board {identity}; the boards here are: {known}") from None

    async def stop_board(self, identity: str) -> None:
        """End one board and forget it; its flash stays."""
        await self.boards.pop(identity).stop()

    async def stop(self) -> None:
        """End every board."""
        for identity in list(self.boards):
            await self.stop_board(identity)

    def _new_id(self, profile: Mapping[str, Any]) -> str:
        """The id of a board that does not run yet. Raises SiteError."""
        given = profile.get("id")
        if not isinstance(given, str) or not given or "/" in given or given.startswith("."):
            raise SiteError(f"id of a board is {given!r}; give it a name without slashes")
        if given in self.boards:
            raise SiteError(f"board {given} runs already; stop it first")
        return given

    def _serial_port(self, identity: str, serial: bool | str) -> SerialPort | None:
        if not serial:
            return None
        release = serial if isinstance(serial, str) else RELEASE
        return SerialPort(self.directory / "serial" / identity, release)

    async def _power_on(self, board: Board) -> None:
        """One that does not come up is not kept."""
        self.boards[board.id] = board
        try:
            await board.power_on()
        except BaseException:
            await self.stop_board(board.id)
            raise

    def _prepare(
        self, flash: Flash, folder: Path | None, profile: Mapping[str, Any]
    ) -> tuple[int, Path]:
        with _BUILDING:
            used = flash.program(folder, profile) if folder else flash.format()
            return used, build.rom(places.shim(), self._cache)
