"""What a service manager is told: ready, stopping, and alive, as sd_notify(3) has it. Without one nothing is said."""

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Mapping

_log = logging.getLogger(__name__)


class Manager:
    """The service manager that started us, if one did."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        """Where it listens, and how long it waits for a sign of life, stands in the environment."""
        address = environ.get("NOTIFY_SOCKET", "")
        # A leading @ stands for the zero byte of an abstract socket.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        ours = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        wanted = environ.get("WATCHDOG_USEC", "")
        self.patience_s = int(wanted) / 1e6 if ours and wanted.isdecimal() else 0.0
        """How long it waits before it ends us; 0 for ever."""

    def tell(self, state: str) -> None:
        """Send one state, like READY=1. A manager that does not listen is no trouble of ours."""
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.setblocking(False)
            try:
                line.sendto(state.encode(), self._address)
            except OSError as error:
                _log.warning("the service manager did not hear %s (%s)", state, error)

    async def keep_alive(self, alive: Callable[[], Awaitable[None]]) -> None:
        """Give a sign of life again and again, as long as `alive` returns in time. Ends when nobody waits for one."""
        period = self.patience_s / 4
        while period:
            try:
                async with asyncio.timeout(period):
                    await alive()
            except Exception as error:  # noqa: BLE001 - whatever it is: without a sign we are started anew
                said = str(error) or type(error).__name__
                _log.error("the service manager gets no sign of life (%s)", said)
            else:
                self.tell("WATCHDOG=1")
            await asyncio.sleep(period)
