"""One life of a board: a MicroPython process from power-on to its end, with its wire and its standard output."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable

from doorward_lab.console import Console
from doorward_lab.wire import Wire


class _Output(asyncio.SubprocessProtocol):
    """Cuts what the board prints into lines, and notices the end of the process."""

    def __init__(self, on_print: Callable[[str], None]) -> None:
        self._on_print = on_print
        self._rest = b""
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._on_print(line.decode(errors="replace").rstrip("\r"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Called when the process has ended and its output is read to the end."""
        if self._rest:
            self._on_print(self._rest.decode(errors="replace"))
        self._transport.close()
        if not self.ended.done():
            self.ended.set_result(None)


class BoardProcess:
    """A running interpreter. `kill` is the end of power: the kernel closes the wire, and nothing is said any more."""

    def __init__(
        self,
        transport: asyncio.SubprocessTransport,
        output: _Output,
        wire: Wire,
        console: Console | None,
    ) -> None:
        """Use `start`."""
        self.console = console
        self._transport = transport
        self._output = output
        self.wire = wire

    @property
    def pid(self) -> int:
        """The process id, also after the end."""
        return self._transport.get_pid()

    @property
    def status(self) -> int | None:
        """How it ended: as subprocess says it, None while it runs."""
        return self._transport.get_returncode()

    @classmethod
    async def start(
        cls,
        command: list[str],
        arguments: list[str],
        wire: Wire,
        on_print: Callable[[str], None],
        console: Console | None = None,
    ) -> "BoardProcess":
        """Start `command` with the wire's file descriptor, then `arguments`, on its argv.

        console: its standard streams, in a session of their own; without one it reads nothing.
        """
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        with theirs:
            theirs.setblocking(False)
            await loop.create_connection(lambda: wire, sock=ours)
            transport, output = await loop.subprocess_exec(
                lambda: _Output(on_print),
                *command,
                str(theirs.fileno()),
                *arguments,
                env={},
                pass_fds=(theirs.fileno(),),
                stdin=console.device if console else asyncio.subprocess.DEVNULL,
                stdout=console.device if console else asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=console is not None,
            )
        if console:
            console.started()
        return cls(transport, output, wire, console)

    def kill(self) -> None:
        """Send SIGKILL, once is enough.

        Not by the transport's own method: that polls, and so takes the exit status from asyncio's watcher.
        """
        if self._transport.get_returncode() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    async def wait(self) -> None:
        """Return when the process has ended and all that it said has been heard."""
        await asyncio.shield(self._output.ended)
        await self.wire.ended.wait()
        if self.console:
            self.console.close()
