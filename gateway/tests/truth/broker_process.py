"""Forks a broker for every line on stdin, and prints its process id and port: brokers to be killed.

A line is a JSON object: the directory, and the name of a mutant or null.
"""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from broker_support import running_broker

from truth.mutants import MUTANTS


async def serve(directory: Path) -> None:
    async with running_broker(directory) as site:
        print(os.getpid(), site.port, flush=True)
        await asyncio.Event().wait()


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        if os.fork() == 0:
            wanted = json.loads(line)
            if wanted["mutant"]:
                MUTANTS[wanted["mutant"]]()
            asyncio.run(serve(Path(wanted["directory"])))
            return


main()
