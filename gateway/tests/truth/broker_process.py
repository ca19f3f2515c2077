"""Forks a broker for every line on stdin, and answers with its process id and ports: brokers to be killed.

A line is a JSON object: the directory, the name of a site, and the name of a mutant or null.
"""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from truth.mutants import MUTANTS
from truth.sites import SITES


async def serve(site: str, directory: Path) -> None:
    async with SITES[site](directory) as running:
        secure = running.broker.secure_port
        print(os.getpid(), running.port, secure, flush=True)
        await asyncio.Event().wait()


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        if os.fork() == 0:
            wanted = json.loads(line)
            if wanted["mutant"]:
                MUTANTS[wanted["mutant"]]()
            asyncio.run(serve(wanted["site"], Path(wanted["directory"])))
            return


main()
