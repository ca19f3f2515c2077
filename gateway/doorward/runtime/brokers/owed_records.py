"""Changes that have to be put on record: what the audit cannot take now, it is told again until it does."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import NamedTuple

import structlog

Record = Callable[[str, str, str], Awaitable[None]]
"""Puts a change on record: the kind of audit row, who did it, and what in one sentence."""

_AGAIN_S = 5.0

_log = structlog.get_logger(__name__)


async def unrecorded(kind: str, actor: str, why: str) -> None:
    """A broker without a gateway has no audit; its log has the change."""


class _Owed(NamedTuple):
    kind: str
    actor: str
    why: str
    at: datetime


class OwedRecords:
    """Writes in the order of the changes."""

    def __init__(self, record: Record) -> None:
        """Write with `record`."""
        self._record = record
        self._owed: deque[_Owed] = deque()
        self._writing = asyncio.Lock()
        self._trying: asyncio.Task[None] | None = None

    async def put(self, kind: str, actor: str, why: str) -> None:
        """Write one row, after those that are owed. Raises what the audit says; then it is owed, too."""
        self._owed.append(_Owed(kind, actor, why, datetime.now(UTC)))
        try:
            await self._write()
        except Exception:
            if self._trying is None or self._trying.done():
                self._trying = asyncio.create_task(self._keep_trying(), name="owed-records")
            raise

    async def _write(self) -> None:
        async with self._writing:
            while self._owed:
                kind, actor, why, at = self._owed[0]
                late = (datetime.now(UTC) - at).total_seconds() > _AGAIN_S / 2
                await self._record(
                    kind, actor, f"{why} (At {at:%Y-%m-%d %H:%M:%S} UTC.)" if late else why
                )
                self._owed.popleft()

    async def _keep_trying(self) -> None:
        while self._owed:
            await asyncio.sleep(_AGAIN_S)
            try:
                await self._write()
            except Exception as error:  # noqa: BLE001 - whatever it is, the rows are owed
                _log.error("audit.rows_owed", rows=len(self._owed), error=str(error))
