"""Power, reset and restart of one board: which process runs, why it was started, and what follows when it ends."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from doorward_lab.causes import Cause
from doorward_lab.process import BoardProcess
from doorward_lab.rtc import Rtc
from doorward_lab.serial_line import SerialLine
from doorward_lab.serial_port import SerialPort
from doorward_lab.watchdog import Watchdog
from doorward_lab.wire import Wire

_ARGUMENT = 200  # its longest interned string is 255 bytes
_SHORT_LIFE_S = 1.0
_PAUSE_S = (
    0.25  # after a short life, so that a board that resets in a loop leaves the machine some time
)


class Listener(Protocol):
    """Who hears a board."""

    def started(self, send: Callable[[str], None]) -> None:
        """A process runs; `send` reaches it."""

    def heard(self, words: list[str], at_ns: int) -> None:
        """A line has come that power does not understand."""

    def printed(self, line: str) -> None:
        """A line of standard output has come."""

    def gone(self, at_ns: int) -> None:
        """The process has ended, all its pins are released."""


class Power:
    """Keeps one board's process alive until `off`, or until a cut that its flash was told of.

    A process that ends by itself is started again, as a chip is.
    """

    def __init__(
        self,
        command: list[str],
        image: Path,
        uid: str,
        wiring: str,
        listener: Listener,
        serial: SerialPort | None = None,
        rtc: Rtc | None = None,
    ) -> None:
        """command: argv of the interpreter; uid: unique_id in hex; wiring: pins and chip as JSON.

        serial: where its serial port is; a process that ends by itself is then a soft reset. rtc: loses all
        it has with the power.
        """
        self.starts: list[tuple[Cause, int]] = []
        self.up = asyncio.Event()
        self._command = command
        self._image = image
        self._rtc = rtc
        self._uid = uid
        self._wiring = wiring
        self._listener = listener
        self._watchdog = Watchdog(self._starved)
        self._process: BoardProcess | None = None
        self._line: SerialLine | None = None
        if serial is not None:
            self._line = SerialLine(serial, listener.printed)
            serial.on_open = lambda: self.restart(Cause.HARD)
            serial.on_unplug = self._unplugged
        self._by_itself = Cause.HARD if serial is None else Cause.SOFT
        self._next = self._by_itself
        self._cut = False
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process id of the running board, None without power."""
        return self._process.pid if self._process is not None else None

    @property
    def is_on(self) -> bool:
        """Whether the board has power."""
        return self._keeper is not None and not self._keeper.done()

    async def on(self) -> None:
        """Power on; returns when the process runs. Does nothing when it has power."""
        if not self.is_on:
            await self._launch(Cause.POWER_ON)
            self._keeper = asyncio.create_task(self._keep_alive())

    async def off(self) -> None:
        """Cut the power at this instant; returns when no process is left."""
        keeper, self._keeper = self._keeper, None
        self._watchdog.power_off()
        if keeper is None:
            return
        if self._process is not None:
            self._process.kill()
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        if self._process is not None:
            await self._process.wait()
            self._process = None

    def restart(self, cause: Cause) -> None:
        """Reset the chip: this process ends, the next one is told `cause`."""
        if self._process is not None:
            self._next = cause
            self._process.kill()

    def send(self, line: str) -> None:
        """Tell the board a line; lost without power, as everything is."""
        if self._process is not None:
            self._process.wire.send(line)

    async def wait_cut(self) -> None:
        """Return when the power has gone by itself."""
        if self._keeper is not None:
            await asyncio.shield(self._keeper)

    async def wait_end(self) -> None:
        """Return when the process that runs now has ended."""
        if self._process is not None:
            await self._process.wait()

    async def _keep_alive(self) -> None:
        while True:
            if self._process is not None:
                await self._process.wait()
                if self._line is not None:
                    self._line.ended(self._process.status)
                self._process = None
            if self._cut or not self.up.is_set():
                return  # no power, or it never came up: there is nothing to wait for
            short = time.monotonic_ns() - self.starts[-1][1] < _SHORT_LIFE_S * 1e9
            if short and self._line is None:  # with a serial port, it is somebody's ^D
                await asyncio.sleep(_PAUSE_S)
            await self._launch(self._next)

    async def _launch(self, cause: Cause) -> None:
        self.up.clear()
        self._next = self._by_itself
        self._cut = False
        if cause is Cause.POWER_ON and self._rtc is not None:
            self._rtc.power_up()
        self.starts.append((cause, time.monotonic_ns()))
        # In pieces: MicroPython dies of an argument that is too long.
        console, run = self._line.begin(cause) if self._line is not None else (None, "for ever")
        text = "\n".join((str(self._image), str(cause.value), self._uid, run, self._wiring))
        arguments = [text[at : at + _ARGUMENT] for at in range(0, len(text), _ARGUMENT)]
        wire = Wire(self._heard, self._gone)
        self._process = await BoardProcess.start(
            self._command, arguments, wire, self._listener.printed, console
        )
        self._listener.started(wire.send)

    def _heard(self, words: list[str], at_ns: int) -> None:
        match words:
            case ["fed"]:
                self._watchdog.feed()
            case ["cut"]:
                self._unplugged()
                if self._line is not None:
                    self._line.port.unplug()
            case ["wdt", timeout_ms]:
                self._watchdog.start(int(timeout_ms))
            case ["reset", cause]:
                self.restart(Cause(int(cause)))
            case _:
                if words[0] == "up":
                    self.up.set()
                    if self._line is not None:
                        self._line.up()
                self._listener.heard(words, at_ns)

    def _gone(self, at_ns: int) -> None:
        if self._next is not Cause.SOFT:  # which does not stop it (ports/esp32/machine_wdt.c)
            self._watchdog.power_off()
        self._listener.gone(at_ns)

    def _unplugged(self) -> None:
        # The cable is the board's supply, too.
        self._cut = True
        self.restart(Cause.POWER_ON)

    def _starved(self) -> None:
        self._listener.printed("lab: the watchdog was not fed; the board is reset")
        self.restart(Cause.WATCHDOG)
