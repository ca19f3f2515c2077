"""A gateway that is killed."""

import asyncio
import signal
import subprocess
from pathlib import Path

from forked import Forked
from ports import free_port_base


class Victim:
    """A gateway in a process of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port_base = free_port_base()
        self._process: Forked | None = None

    @property
    def is_running(self) -> bool:
        """Whether it was started, and not ended since."""
        return self._process is not None

    async def start(self) -> None:
        options = ["--data", str(self.directory), "--port-base", str(self.port_base)]
        self._process = Forked(["up", *options], stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        line = await asyncio.wait_for(asyncio.to_thread(self._process.stdout.readline), 30)
        assert b"doorward is up" in line

    async def end(self, how: signal.Signals) -> int:
        assert self._process is not None
        process, self._process = self._process, None
        process.send_signal(how)
        assert process.stdout is not None
        process.stdout.close()
        return await asyncio.to_thread(process.wait, 30)

    async def clean_up(self) -> None:
        if self._process is not None:
            await self.end(signal.SIGKILL)
