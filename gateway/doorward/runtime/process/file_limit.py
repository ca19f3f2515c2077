"""Open files: as many as we can have, a part of them for boards, and few words when there are none left."""

import asyncio
import contextlib
import errno
import logging
import resource
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from doorward.broker.limits import Limits

_log = logging.getLogger(__name__)

# A thousand idle browsers must not keep a board's connection out.
_WANTED = 65536
_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_TOLD_EVERY_S = 10.0


def raise_file_limit() -> None:
    """Have as many as the system lets us, up to what we want."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _WANTED if hard == resource.RLIM_INFINITY else min(_WANTED, hard)
    with contextlib.suppress(
        ValueError, OSError
    ):  # a sandbox may forbid it; we run with what we have
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def broker_limits(given: Mapping[str, Any] = MappingProxyType({})) -> Limits:
    """The broker's limits, with those that were given in place of what ships.

    Of our files its connections take half at most, or nothing were left to write with.
    """
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limits = Limits(**given)
    if soft == resource.RLIM_INFINITY:
        return limits
    return replace(limits, connections=min(limits.connections, soft // 2))


class FewWords:
    """An event loop's exception handler for which a connection that finds no file is no exception.

    asyncio itself tells it with a traceback for each that waits, and is so busy with it that nobody is served.
    """

    def __init__(self) -> None:
        """Nothing was told yet."""
        self._told: float | None = None
        self._untold = 0

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Take what went wrong in a callback."""
        error = context.get("exception")
        if not (isinstance(error, OSError) and error.errno in _EXHAUSTED and "socket" in context):
            loop.default_exception_handler(context)
            return
        self._untold += 1
        if self._told is None or loop.time() - self._told >= _TOLD_EVERY_S:
            _log.error("no file is left for a connection: %s, %d times", error, self._untold)
            self._told, self._untold = loop.time(), 0
