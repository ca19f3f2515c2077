"""One broker, to be run under strace: its folder, then the name of a mutant or nothing."""

import asyncio
import os
import sys
from pathlib import Path

from broker_support import running_broker

from truth.mutants import MUTANTS


async def serve(directory: Path) -> None:
    async with running_broker(directory) as site:
        print(os.getpid(), site.port, flush=True)
        await asyncio.Event().wait()


for mutant in sys.argv[2:]:
    MUTANTS[mutant]()
asyncio.run(serve(Path(sys.argv[1])))
