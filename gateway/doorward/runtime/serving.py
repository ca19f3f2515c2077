"""Something that serves, from the command line's side: start it, say where it is, wait for a signal, end it."""

import asyncio
import signal
from collections.abc import Callable
from typing import Protocol, TypeVar

from doorward.runtime.file_limit import FewWords, raise_file_limit
from doorward.runtime.systemd import Manager

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


async def serve(part: P, greet: Callable[[P], None]) -> None:
    """Run it until SIGINT or SIGTERM. A signal ends it also while it starts."""
    raise_file_limit()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(FewWords())
    signalled = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, signalled.set)
    life = asyncio.create_task(_live(part, greet))
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


async def _live(part: P, greet: Callable[[P], None]) -> None:
    manager = Manager()
    await part.start()
    greet(part)
    manager.tell("READY=1")
    sign = asyncio.create_task(manager.keep_alive(part.answer))
    try:
        await part.wait()
    finally:
        sign.cancel()
        manager.tell("STOPPING=1")
