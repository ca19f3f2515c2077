"""The computer's end of a board's USB cable: a pseudo-terminal that real tools open as they open /dev/ttyUSB0."""

import asyncio
import contextlib
import os
import select
import tty
from collections.abc import Callable
from pathlib import Path

# How often a port that nobody has open is looked at.
_LOOK_S = 0.01
_PIECE = 1024
# What a tool may leave unread; a serial line waits for nobody.
_UNREAD = 64 * 1024


class SerialPort:
    """A port at `path` for as long as the cable is plugged in.

    resets_on_open: as a development board does whose DTR and RTS are wired to EN and GPIO0: opening its port drives
    both lines, and that resets the chip. A pseudo-terminal has no such lines, so the opening itself stands for them.
    """

    def __init__(self, path: Path, release: str) -> None:
        """path: the symbolic link that names the terminal; nothing is there until `plug`. release: of MicroPython."""
        self.path = path
        self.resets_on_open = False
        self.release = release  # as os.uname() tells it
        self.is_open = False
        self.received = 0  # bytes from the tool, since the cable was plugged in
        self.on_data: Callable[[bytes], None] = lambda _data: None
        self.on_open: Callable[[], None] = lambda: None
        self.on_unplug: Callable[[], None] = lambda: None
        self._master: int | None = None
        self._unsent = b""
        self._left: int | None = None
        self._look: asyncio.TimerHandle | None = None

    @property
    def is_plugged(self) -> bool:
        """Whether there is a port."""
        return self._master is not None

    def plug(self) -> None:
        """Make the port. Does nothing when it is there."""
        if self._master is not None:
            return
        self._master, slave = os.openpty()
        # Raw from the start: what the board prints before anybody opens the port must not come back to it as an echo.
        tty.setraw(slave)
        name = os.ttyname(slave)
        os.close(slave)
        os.set_blocking(self._master, False)
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = self.path.with_name(self.path.name + ".new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(name)
        fresh.replace(self.path)
        self.received, self._left = 0, None
        self._wait_for_open()

    def unplug(self) -> None:
        """Pull the cable: the port is gone, and whoever has it open gets an error."""
        master, self._master = self._master, None
        if master is None:
            return
        if self._look is not None:
            self._look.cancel()
            self._look = None
        self._forget(master)
        os.close(master)
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()
        self.is_open = False
        self.on_unplug()

    def unplug_after(self, count: int) -> None:
        """Have the cable pulled when `count` more bytes have gone to the board; the rest is lost."""
        self._left = count

    def send(self, data: bytes) -> None:
        """Pass on what the board says; lost when nobody has the port open."""
        if self._master is None or not self.is_open:
            return
        self._unsent = (self._unsent + data)[-_UNREAD:]
        self._write(self._master)

    # --- who has it open

    def _wait_for_open(self) -> None:
        # A terminal that nobody has open is always "readable" (it hung up), so it cannot be waited for.
        self._look = None
        if self._master is None:
            return
        poll = select.poll()
        poll.register(self._master, select.POLLIN)
        if any(events & select.POLLHUP for _, events in poll.poll(0)):
            loop = asyncio.get_running_loop()
            self._look = loop.call_later(_LOOK_S, self._wait_for_open)
            return
        self.is_open = True
        asyncio.get_running_loop().add_reader(self._master, self._read, self._master)
        if self.resets_on_open:
            self.on_open()

    def _read(self, master: int) -> None:
        try:
            data = os.read(master, _PIECE)
        except BlockingIOError:
            return
        except OSError:  # the last one has closed it
            data = b""
        if not data:
            self._forget(master)
            self.is_open = False
            self._wait_for_open()
            return
        ends = self._left is not None and len(data) >= self._left
        if ends:
            data = data[: self._left]
        elif self._left is not None:
            self._left -= len(data)
        self.received += len(data)
        if data:
            self.on_data(data)
        if ends:
            self.unplug()

    def _write(self, master: int) -> None:
        loop = asyncio.get_running_loop()
        try:
            self._unsent = self._unsent[os.write(master, self._unsent) :]
        except BlockingIOError:
            pass
        except OSError:
            self._unsent = b""
        if self._unsent:
            loop.add_writer(master, self._write, master)
        else:
            loop.remove_writer(master)

    def _forget(self, master: int) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(master)
        loop.remove_writer(master)
        self._unsent = b""
