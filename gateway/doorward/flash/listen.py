"""What a board says by itself at its port, and what can be read from it."""

import re
import time
from collections import deque
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

from doorward.flash.errors import FlashError, Unplugged

_BAUD = 115_200
_LOOK_S = 0.05
_LINES = 200
_RESET = b"import machine; machine.reset()\r"
_PROMPT_S = 3.0
# What an ESP32's ROM says when there is nothing to start (esp32/rom).
_BLANK = re.compile(r"invalid header: 0xffffffff|flash read err, 1000", re.IGNORECASE)
_DOWNLOAD = re.compile(r"waiting for download", re.IGNORECASE)


class Port:
    """The port, open; the control lines are left alone, for on many boards they are the reset button."""

    def __init__(self, port: str) -> None:
        self._port = port
        self.lines: deque[str] = deque(maxlen=_LINES)
        self._rest = b""
        self._serial: Any = None

    def __enter__(self) -> Self:
        """Open it. Raises Unplugged, FlashError."""
        import serial  # noqa: PLC0415 - comes with the tools, which only flashing needs

        self._serial = serial.Serial(baudrate=_BAUD, timeout=_LOOK_S, exclusive=True)
        self._serial.dtr = self._serial.rts = False
        self._serial.port = self._port
        try:
            self._serial.open()
        except OSError as error:
            if "lock" in str(error):
                raise FlashError(
                    f"{self._port} is in use by another program", "end that first", field="port"
                ) from None
            raise Unplugged(self._port) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._serial.close()

    def reset(self) -> None:
        """Have the board begin anew, from its prompt. Raises Unplugged."""
        self._write(b"\r\x03\x02")  # an interrupt, and out of raw mode
        until = time.monotonic() + _PROMPT_S
        while time.monotonic() < until and not self._rest.endswith(b">>> "):
            self.hear()
        self.lines.clear()
        self._write(_RESET)

    def hear(self) -> list[str]:
        """Wait for a moment, and return the lines that have come. Raises Unplugged."""
        try:
            data = self._serial.read(max(1, self._serial.in_waiting))
        except (
            OSError,
            TypeError,
        ):  # pyserial's own error is an OSError; of a port that is gone it may know nothing
            raise Unplugged(self._port) from None
        *lines, self._rest = (self._rest + data).split(b"\n")
        heard = [line.decode(errors="replace").rstrip("\r") for line in lines]
        self.lines.extend(heard)
        return heard

    def listen(self, seconds: float) -> Iterator[str]:
        """The lines that come within so long."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            yield from self.hear()

    def _write(self, data: bytes) -> None:
        try:
            self._serial.write(data)
        except OSError:
            raise Unplugged(self._port) from None


def why_no_prompt(port: str, seconds: float = 2.5) -> str:
    """What is at a port that does not answer as MicroPython does: "blank", "download", "other" or "silent"."""
    with Port(port) as opened:
        said = "\n".join(opened.listen(seconds))
    if _BLANK.search(said):
        return "blank"
    if _DOWNLOAD.search(said):
        return "download"
    return "other" if said.strip() else "silent"


def let_go(port: str) -> None:
    """Have the board at its prompt start again, and run. Raises Unplugged, FlashError."""
    with Port(port) as opened:
        opened.reset()
