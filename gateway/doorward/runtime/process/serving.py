"""A program that serves: started, waited for and ended; and from the command line's side, until a signal comes."""

import asyncio
import signal
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, Protocol, TypeVar

from doorward.errors import StartupError
from doorward.runtime.process.file_limit import FewWords, raise_file_limit
from doorward.runtime.process.systemd import Manager

Say = Callable[[str], None]


class Part(Protocol):
    """A gateway, or a broker alone."""

    async def start(self) -> None:
        """Return when it serves."""

    async def wait(self) -> None:
        """Return when it has ended. Raises what ended it if it was not `stop`."""

    async def answer(self) -> None:
        """Return when everything that it needs has answered."""

    async def stop(self) -> None:
        """End it, in order."""


P = TypeVar("P", bound=Part)


class Serving(ABC):
    """A `Part` whose whole life is one task: `start` returns when it serves, `stop` when nothing is left.

    What fails in it while it runs ends the whole: `wait` then raises what it died of.
    """

    _name: ClassVar[str]  # of the task
    _unserved: ClassVar[str]  # what StartupError says when `stop` comes first

    def __init__(self) -> None:
        """Nothing runs before `start`."""
        self._stopping = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Bring everything up. Raises StartupError leaves, also if `stop` comes first; then nothing is left running."""
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._running = asyncio.create_task(self._run(ready), name=self._name)
        await asyncio.wait((self._running, ready), return_when=asyncio.FIRST_COMPLETED)
        if self._running.done():
            await self._running
        if not ready.done():
            raise StartupError(self._unserved)

    async def wait(self) -> None:
        """Return when it has ended. Raises what ended it if it was not `stop`."""
        if self._running is not None:
            await self._running

    @abstractmethod
    async def answer(self) -> None:
        """Return when everything that it needs has answered."""

    async def stop(self) -> None:
        """End everything, in order."""
        self._stopping.set()
        if self._running is not None:
            await asyncio.wait((self._running,))

    @abstractmethod
    async def _run(self, ready: asyncio.Future[None]) -> None:
        """All of it: set `ready` when it serves, return after `_stopping`."""


async def serve(part: P, on_ready: Callable[[P], None]) -> None:
    """Run it until SIGINT or SIGTERM. A signal ends it also while it starts. on_ready: is told when it serves."""
    raise_file_limit()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(FewWords())
    signalled = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, signalled.set)
    life = asyncio.create_task(_live(part, on_ready))
    stop = asyncio.create_task(signalled.wait())
    await asyncio.wait((life, stop), return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    await part.stop()
    if signalled.is_set():
        # Whatever starting came to, it was told to end.
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)
    else:
        await life


async def _live(part: P, on_ready: Callable[[P], None]) -> None:
    manager = Manager()
    await part.start()
    on_ready(part)
    manager.tell("READY=1")
    sign = asyncio.create_task(manager.keep_alive(part.answer))
    try:
        await part.wait()
    finally:
        sign.cancel()
        manager.tell("STOPPING=1")
