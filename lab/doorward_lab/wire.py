"""The lines between the lab and a board's process (written down beside their other end, lab/shim/lab_parts/link.py)."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast


@dataclass(frozen=True, slots=True)
class Edge:
    """A change of an output pin, as the lab saw it.

    level: 0, 1, or None when the pin stopped driving (reset, loss of power).
    at_ns: CLOCK_MONOTONIC when the lab received it. seen_ns: start of the reader's poll that saw the card before it.
    """

    pin: int
    level: int | None
    at_ns: int
    seen_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Duty:
    """A change of a PWM, as the lab saw it.

    hz: 0 when it was given up. duty: the share of the time that the pin is high, of 65536. at_ns: as in Edge.
    """

    pin: int
    hz: int
    duty: int
    at_ns: int


@dataclass(frozen=True, slots=True)
class Heap:
    """The board's heap in bytes after a collection, and what its flash has done since power-on.

    alloc: in use, with the shim in it. shim: in use before the first line of firmware ran. total: size of the heap.
    """

    alloc: int
    shim: int
    total: int
    flash_reads: int
    flash_programs: int
    flash_erases: int


class Wire(asyncio.Protocol):
    """The lab's end of one board's socket: splits lines, stamps them on receipt, hands them on as words."""

    def __init__(
        self, on_line: Callable[[list[str], int], None], on_end: Callable[[int], None]
    ) -> None:
        """on_line(words, at_ns) for each line; on_end(at_ns) once, when the board's process is gone."""
        self.ended = asyncio.Event()
        self._on_line = on_line
        self._on_end = on_end
        self._rest = b""
        self._transport: asyncio.WriteTransport | None = None

    def send(self, line: str) -> None:
        """Write one line; a board that is gone does not hear it."""
        if self._transport is not None:
            self._transport.write(line.encode() + b"\n")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast(asyncio.WriteTransport, transport)

    def data_received(self, data: bytes) -> None:
        """Stamp first, understand later."""
        now = time.monotonic_ns()
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._on_line(line.decode().split(), now)

    def connection_lost(self, exc: Exception | None) -> None:
        """The process has ended: whatever it drove is released."""
        self._transport = None
        self._on_end(time.monotonic_ns())
        self.ended.set()
