"""Brokers in processes of their own, which can be killed."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

HERE = Path(__file__).parent


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
    async def running(
        self, directory: Path, mutant: str | None = None
    ) -> AsyncIterator[tuple[Callable[[], None], int]]:
        """(kill, port) of a new broker; it is killed at the end in any case."""
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        line = json.dumps({"directory": str(directory), "mutant": mutant})
        self._parent.stdin.write(f"{line}\n".encode())
        pid, port = map(int, (await self._parent.stdout.readline()).split())

        def kill() -> None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

        try:
            yield kill, port
        finally:
            kill()
