"""The lab beside a demo: the process that runs the virtual boards, what it says, and its end."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from doorward.errors import StartupError

_READY_S = 90.0  # a small machine compiles the firmware first
_STOP_S = 1.2
_CHUNK = 65536


class LabProcess:
    """One lab. What it complains about goes to `log`; `on_end` is called when it ends without being asked to."""

    def __init__(self, command: Sequence[str], log: Path, on_end: Callable[[], None]) -> None:
        """`command` waits for a line on its input, and prints one when every board runs."""
        self._command = command
        self._log = log
        self._on_end = on_end
        self._process: asyncio.subprocess.Process | None = None
        self._watching: asyncio.Task[None] | None = None

    async def launch(self) -> None:
        """Start it; until `go` it does what needs no boards."""
        self._process = await self._spawn()

    def go(self) -> None:
        """Let it start its boards: what it has to know of them is written down."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(b"go\n")

    async def ready(self) -> None:
        """Return when every board runs. Raises StartupError with the lab's last words."""
        process = self._process
        if process is None or process.stdout is None:
            raise StartupError("the lab has no output", "report this")
        try:
            async with asyncio.timeout(_READY_S):
                ready = await process.stdout.readline()
        except TimeoutError:
            raise StartupError(
                "the virtual boards did not start in time", f"look into {self._log}"
            ) from None
        if not ready:
            problem, _, remedy = self._last_words().partition("; ")
            raise StartupError(
                f"the virtual boards did not start: {problem}", remedy or "run doorward doctor"
            )
        self._watching = asyncio.create_task(self._watch(process, process.stdout))

    async def stop(self) -> None:
        """End it, the hard way if it does not listen."""
        process, self._process = self._process, None
        if self._watching is not None:
            self._watching.cancel()
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _STOP_S)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _spawn(self) -> asyncio.subprocess.Process:
        self._log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        log = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        try:
            # A session of its own: Ctrl-C is for us, and we end the lab.
            return await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        finally:
            os.close(log)

    async def _watch(
        self, process: asyncio.subprocess.Process, output: asyncio.StreamReader
    ) -> None:
        """A full pipe would stop the lab, so it is read, whatever it says."""
        while await output.read(_CHUNK):
            pass
        await process.wait()
        self._on_end()

    def _last_words(self) -> str:
        said = self._log.read_text(errors="replace").split("\n")
        return next((line.strip() for line in reversed(said) if line.strip()), "it ended")
