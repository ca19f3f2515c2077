"""A board's serial line over all its lives: what is typed goes to the process that runs, and back."""

import signal
from collections.abc import Callable

from doorward_lab.causes import Cause
from doorward_lab.console import Console
from doorward_lab.serial_port import SerialPort

_CTRL_C = b"\x03"
# What the ROM of an ESP32 prints at its start, by cause (esp32/rom/rtc.h); a bitten task watchdog panics first.
_ROM = {
    Cause.POWER_ON: "rst:0x1 (POWERON_RESET)",
    Cause.HARD: "rst:0xc (SW_CPU_RESET)",
    Cause.WATCHDOG: "rst:0xc (SW_CPU_RESET)",
}
_BITTEN = (
    b"E (0) task_wdt: Task watchdog got triggered. The following tasks/users did not reset the "
    b"watchdog in time:\r\nE (0) task_wdt:  - mpy_machine_wdt\r\n"
)


class SerialLine:
    """Gives each process of a board its terminal, and decides what it runs, as ports/esp32/main.c does."""

    def __init__(self, port: SerialPort, on_line: Callable[[str], None]) -> None:
        """on_line: hears every line that the board prints."""
        self.port = port
        self._on_line = on_line
        self._console: Console | None = None
        self._raw = False
        self._interrupted = False
        self._last = b""
        self._rest = b""
        port.on_data = self._typed

    def begin(self, cause: Cause) -> tuple[Console, str]:
        """Return the terminal of the next process, and what it runs.

        "main": /boot.py and /main.py, then the prompt; "boot": not /main.py, as in raw mode; "prompt": neither.
        """
        run = "prompt" if self._interrupted else "boot" if self._raw else "main"
        if cause is not Cause.SOFT:
            self._raw, run = False, "main"
            bitten = _BITTEN if cause is Cause.WATCHDOG else b""
            rom = (
                f"ets Jul 29 2019 12:21:46\r\n\r\n{_ROM[cause]},boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n"
            )
            self.port.send(bitten + rom.encode())
        elif not self._interrupted:
            self.port.send(b"MPY: soft reboot\r\n")
        self._interrupted = False
        if self._rest:  # half a line, of the life before
            self._on_line(self._rest.decode(errors="replace"))
            self._rest = b""
        self._console = Console(self._said, raw=self._raw)
        return self._console, run

    def up(self) -> None:
        """The process has become a board."""
        if self._console is not None:
            self._console.up()

    def ended(self, status: int | None) -> None:
        """Note how a process has ended by itself.

        The unix port dies of a ^C that comes as its code ends, or of a second one at once; a chip shows its prompt.
        """
        if self._console is not None:
            self._raw = self._console.raw
        died = status == -signal.SIGINT or (status == 1 and self._last == _CTRL_C)
        self._interrupted = died

    def _typed(self, data: bytes) -> None:
        self._last = data[-1:]
        if self._console is not None:
            self._console.write(data)

    def _said(self, data: bytes) -> None:
        self.port.send(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._on_line(line.decode(errors="replace").rstrip("\r"))
