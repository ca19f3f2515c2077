"""Forks a broker for every directory named on stdin, and prints its process id and port: brokers to be killed."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from broker_support import running_broker


async def serve(directory: Path) -> None:
    async with running_broker(directory) as site:
        print(os.getpid(), site.port, flush=True)
        await asyncio.Event().wait()


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        if os.fork() == 0:
            asyncio.run(serve(Path(line.strip())))
            return


main()
