"""A gateway killed in a roll-out, in each state of it: the next one goes on, and nothing is done or told twice."""

import asyncio
import base64
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from stage.board import ScriptedBoard
from stage.house import furnish
from stage.online import OnlineBoard
from stage.secrets import Enrolment
from victim import Victim

from doorward_core import board_messages, seal, topics
from doorward_core.messages import encode

PATIENCE_S = 90.0


@pytest.fixture
async def enrolment(tmp_path: Path) -> Enrolment:
    return await furnish(tmp_path)


@pytest.fixture
async def victim(tmp_path: Path, enrolment: Enrolment) -> AsyncIterator[Victim]:
    victim = Victim(tmp_path)
    yield victim
    await victim.clean_up()


class Site:
    """The gateway's API, and its one board. A context is one run of both, until a kill."""

    def __init__(self, victim: Victim, enrolment: Enrolment) -> None:
        self.victim = victim
        self.enrolment = enrolment
        self.script = ScriptedBoard(enrolment)

    async def __aenter__(self) -> OnlineBoard:
        await self.victim.start()
        self.script.boot = os.urandom(8)
        self.board = OnlineBoard(self.enrolment, self.victim.port_base + 2, self.script)
        await self.board.__aenter__()
        await self.until("online", True, "devices")
        return self.board

    async def __aexit__(self, *_: object) -> None:
        await self.victim.end(signal.SIGKILL)
        await self.board.__aexit__(None, None, None)

    async def ask(self, method: str, path: str, body: object = None) -> list[dict[str, object]]:
        transport = httpx.AsyncHTTPTransport(uds=str(self.victim.directory / "run" / "api.sock"))
        base = "http://doorward/api/v1"
        async with httpx.AsyncClient(transport=transport, base_url=base, timeout=90) as client:
            answer = await client.request(method, path, json=body)
        assert answer.is_success, answer.text
        found: list[dict[str, object]] = answer.json()
        return found

    async def until(self, field: str, value: object, path: str = "updates") -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not any(one[field] == value for one in await self.ask("GET", path)):  # noqa: ASYNC110 - over the API
                await asyncio.sleep(0.1)

    def say(self, board: OnlineBoard, body: bytes) -> None:
        board.publish(topics.COMMANDS_ACK, self.script.say(topics.COMMANDS_ACK, body))

    async def challenged(self, board: OnlineBoard) -> str:
        payload = await board.heard(topics.CONTROL)
        # What was kept for a former boot is worth nothing.
        while seal.parse_freshness(seal.split(payload).freshness)[1] != self.script.boot:
            payload = await board.heard(topics.CONTROL)
        body = json.loads(self.script.open(topics.CONTROL, payload))
        assert body["parameters"] == {"for": "rekey"}
        command_id: str = body["command_id"]
        return command_id

    async def trusts(self, board: OnlineBoard) -> None:
        self.say(board, board_messages.challenge_answer(await self.challenged(board), bytes(16)))
        body = json.loads(self.script.open(topics.REKEY, await board.heard(topics.REKEY)))
        self.say(board, board_messages.command_result(body["command_id"], "done"))

    async def offered(self, board: OnlineBoard) -> int:
        while True:
            payload = await board.heard(topics.FIRMWARE)
            if b'"signature"' in payload:
                return int(seal.split(payload).freshness[2:])

    async def piece(self, board: OnlineBoard, number: int) -> bytes:
        self.say(board, encode({"want": "firmware", "version": number, "offset": 0}))
        while True:
            payload = await board.heard(topics.FIRMWARE)
            if b'"data"' in payload:
                body = json.loads(self.script.open(topics.FIRMWARE, payload))
                return base64.b64decode(body["data"])


@pytest.mark.timeout(400)
async def test_killed_in_each_state_of_a_roll_out(victim: Victim, enrolment: Enrolment) -> None:
    site = Site(victim, enrolment)
    async with site as board:
        await site.ask("POST", "updates", {"devices": ["front"]})
        await site.challenged(board)  # and killed: it waits for its key
    async with site as board:
        await site.trusts(board)
        number = await site.offered(board)
        first = await site.piece(board, number)
    # Killed while it fetches: the same offer, the same firmware.
    async with site as board:
        assert await site.offered(board) == number
        assert await site.piece(board, number) == first
        data = {"order": number, "version": "0.1.0", "state": "installed"}
        await board.upload(site.script.event("update", data))
    # Killed on trial: what was told counts, and no key is given twice.
    async with site as board:
        await site.until("state", "installed")
        data = {"order": number, "version": "0.1.0", "state": "confirmed"}
        await board.upload(site.script.event("update", data))
    async with site:
        await site.until("state", "confirmed")
        rows = await site.ask("GET", "audit?limit=100")
        kinds = [row["kind"] for row in rows]
        for kind in ("device.trusts", "update.offered", "update.installed", "update.confirmed"):
            assert kinds.count(kind) == 1, kind
