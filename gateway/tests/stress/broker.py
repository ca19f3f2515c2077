"""A broker to be stressed: prints its port, and ends with its parent's pipe."""

import asyncio
import sys
import tempfile
from pathlib import Path

from broker_support import running_broker


async def serve() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with running_broker(Path(folder), (), users=("stress",)) as site:
            print(site.port, flush=True)
            await asyncio.to_thread(sys.stdin.read)


asyncio.run(serve())
