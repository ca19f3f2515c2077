"""doorward's own broker as a process: `school_broker.py DIR PORT`. Of `sam`, who may use school/#; until SIGTERM."""

import asyncio
import signal
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "gateway" / "tests"))

from broker_support import running_broker  # noqa: E402 - the path is arranged before


async def serve(directory: Path, port: int) -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with running_broker(directory, users=("sam",), port=port):
        await stopped.wait()


asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
