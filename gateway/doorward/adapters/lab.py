"""The control socket of a running lab: one JSON object a line, each way."""

import asyncio
import json
from pathlib import Path
from typing import Any

from doorward.app.ports import LabBoard
from doorward.errors import Unavailable

_TIMEOUT_S = 5.0


class LabSocket:
    """Hands for the virtual site. Raises Unavailable when the lab is gone or says no."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def tap(self, board: str, uid: bytes) -> None:
        await self._ask({"op": "tap", "board": board, "uid": uid.hex()})

    async def contact(self, board: str, is_open: bool) -> None:
        await self._ask({"op": "contact", "board": board, "open": is_open})

    async def key(self, board: str, keys: str) -> None:
        await self._ask({"op": "key", "board": board, "keys": keys})

    async def press(self, board: str, part: str) -> None:
        await self._ask({"op": "press", "board": board, "part": part})

    async def motion(self, board: str, is_there: bool) -> None:
        await self._ask({"op": "motion", "board": board, "on": is_there})

    async def pull(self, board: str, is_pulled: bool) -> None:
        await self._ask({"op": "pull", "board": board, "on": is_pulled})

    async def faults(self) -> dict[str, str]:
        answer: dict[str, str] = (await self._ask({"op": "faults"}))["faults"]
        return answer

    async def fault(self, board: str, name: str, is_broken: bool) -> None:
        await self._ask({"op": "fault", "board": board, "fault": name, "on": is_broken})

    async def boards(self) -> dict[str, LabBoard]:
        answer = await self._ask({"op": "boards"})
        return {
            board["id"]: LabBoard(board["on"], board["contact_open"], tuple(board["parts"]))
            for board in answer["boards"]
        }

    async def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                reader, writer = await asyncio.open_unix_connection(self._path)
                try:
                    writer.write(json.dumps(request).encode() + b"\n")
                    answer: dict[str, Any] = json.loads(await reader.readline())
                finally:
                    writer.close()
        except (OSError, ValueError, TimeoutError) as error:
            raise Unavailable("the virtual site does not answer", "restart the demo") from error
        if not answer.get("ok"):
            problem, _, remedy = str(answer.get("error")).partition("; ")
            raise Unavailable(problem, remedy)
        return answer
