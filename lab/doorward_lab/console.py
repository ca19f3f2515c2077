"""The terminal that one process of a board reads from and prints to, when the board has a serial port."""

import asyncio
import os
import termios
import tty
from collections.abc import Callable

from doorward_lab.prompt import CTRL_A, Prompt

_PIECE = 4096


class Console:
    """A terminal for one life of a board; `device` is its process's end. Call `started` once the process has it.

    What is typed waits until the board is up: a ^C before that would end what makes a board of its process.
    """

    def __init__(self, on_output: Callable[[bytes], None], *, raw: bool) -> None:
        """on_output: hears what the board says, as on the wire. raw: as in Prompt."""
        self._prompt = Prompt(raw=raw)
        self._on_output = on_output
        self._typed = b""
        self._is_up = False
        self._master, self.device = os.openpty()
        tty.setraw(self.device)
        # MicroPython turns signals off while it waits at its prompt: ^C interrupts only what runs.
        modes = termios.tcgetattr(self.device)
        modes[3] |= termios.ISIG
        termios.tcsetattr(self.device, termios.TCSANOW, modes)
        os.set_blocking(self._master, False)
        self._open = True

    @property
    def raw(self) -> bool:
        """Whether the board is in raw mode."""
        return self._prompt.raw

    def started(self) -> None:
        """Listen; from now on the terminal ends with the process."""
        os.close(self.device)
        asyncio.get_running_loop().add_reader(self._master, self._read)

    def up(self) -> None:
        """The board hears what is typed."""
        self._is_up = True
        if self._open and self._typed:
            self._type()

    def write(self, data: bytes) -> None:
        """Type something; kept until the board is up and the terminal takes it."""
        if self._open:
            self._typed += data
            if self._is_up:
                self._type()

    def close(self) -> None:
        """Hear what the process has said last, and end."""
        if not self._open:
            return
        while self._read():
            pass
        self._open = False
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._master)
        loop.remove_writer(self._master)
        os.close(self._master)

    def _type(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            self._typed = self._typed[os.write(self._master, self._typed) :]
        except BlockingIOError:
            pass
        except OSError:  # nobody reads any more
            self._typed = b""
        if self._typed:
            loop.add_writer(self._master, self._type)
        else:
            loop.remove_writer(self._master)

    def _read(self) -> bool:
        """Pass on a piece of output; False when there is none."""
        try:
            data = os.read(self._master, _PIECE)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._master)
            return False
        said = self._prompt.feed(data)
        if self._prompt.wants_raw:
            self._prompt.wants_raw = False
            self.write(CTRL_A)
        if said:
            self._on_output(said)
        return True
