"""Who of the registry may connect to Mosquitto: the application's `Admission`, at a broker of its own process."""

import asyncio
from collections.abc import Callable

import structlog

from doorward.adapters.mosquitto.grants import Grant
from doorward.adapters.mosquitto.keeper import Keeper
from doorward.errors import Unavailable

_log = structlog.get_logger(__name__)

GrantOf = Callable[[str, bool], Grant]
"""The rights of a board, by name and by whether it still waits for somebody who approves it."""


class MosquittoAdmission:
    """A board comes with its certificate, so its secret is not told to Mosquitto.

    What Mosquitto cannot be told while it is away is in the next look at all accounts; `enforce` alone raises.
    """

    def __init__(self, keeper: Keeper, grant_of: GrantOf) -> None:
        """Tell `keeper`."""
        self._keeper = keeper
        self._grant_of = grant_of

    def check_name(self, device: str) -> None:
        """Boards alone have accounts there, and the gateway, whose name no board can have."""

    async def admit(self, device: str, digest: bytes, *, waiting: bool) -> None:
        await self._later(lambda: self._keeper.admit(self._grant_of(device, waiting)))

    async def expel(self, device: str) -> None:
        await self._later(lambda: self._keeper.expel(device))

    async def enforce(self, device: str) -> None:
        await asyncio.to_thread(self._keeper.enforce, device)

    async def _later(self, step: Callable[[], None]) -> None:
        try:
            await asyncio.to_thread(step)
        except Unavailable as error:
            _log.warning("mosquitto.not_told", error=str(error))
