"""Brokers in processes of their own, which can be killed."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent


class Started(NamedTuple):
    """A broker in a process of its own."""

    pid: int
    port: int
    secure_port: int

    def kill(self) -> None:
        """SIGKILL, now."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


class BrokerProcesses:
    """One process that has everything imported forks them: a broker costs a tenth of a second."""

    def __init__(self, parent: asyncio.subprocess.Process) -> None:
        self._parent = parent

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls) -> AsyncIterator["BrokerProcesses"]:
        """Start that process; end it at the end."""
        parent = await asyncio.create_subprocess_exec(
            sys.executable,
            HERE / "broker_process.py",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert parent.stdin is not None
        try:
            yield cls(parent)
        finally:
            parent.stdin.close()
            await parent.wait()

    @contextlib.asynccontextmanager
    async def started(
        self, directory: Path, *, site: str = "plain", mutant: str | None = None
    ) -> AsyncIterator[Started]:
        """A new broker; it is killed at the end in any case."""
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        wanted = {"directory": str(directory), "site": site, "mutant": mutant}
        self._parent.stdin.write(f"{json.dumps(wanted)}\n".encode())
        broker = Started(*map(int, (await self._parent.stdout.readline()).split()))
        try:
            yield broker
        finally:
            broker.kill()


def memory(pid: int) -> int:
    """Resident bytes of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024
