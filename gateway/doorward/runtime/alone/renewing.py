"""Another certificate for a server that has been running for so long. Loaded when it is time for one."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from doorward import config
from doorward.runtime.alone.preparing import server_certificate
from doorward.runtime.keys import open_keys


def renew(directory: Path) -> float:
    """Have a good one in its file; returns when it is time for the next, seconds since 1970. Blocks."""
    return asyncio.run(_renew(directory))


async def _renew(directory: Path) -> float:
    settings = config.load(directory)
    async with AsyncExitStack() as stack:
        keys = await open_keys(settings, stack)
        return server_certificate(settings, keys).due().timestamp()
