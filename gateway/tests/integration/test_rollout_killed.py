"""A gateway killed in a roll-out, in each state of it: the next one goes on, and nothing is done or told twice."""

import asyncio
import base64
import contextlib
import json
import os
import random
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
KILLS = int(os.environ.get("DOORWARD_ROLLOUT_KILLS", "4"))
SEED = int(os.environ.get("DOORWARD_TRUTH_SEED", "10"))
_PIECES = 3 * KILLS  # after so many the board says that it has all: none of its lives gets there


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
        if self.victim.is_running:
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


class Killed(Exception):
    """The gateway is no more."""


class Told:
    """A board in a roll-out that goes on wherever a killed gateway left it, and how far it is."""

    def __init__(self, site: Site, die: random.Random) -> None:
        self.site = site
        self.left = 0  # steps, until the gateway is killed
        self.pieces: dict[int, bytes] = {}
        self.numbers: set[int] = set()
        self._die = die
        self._events: list[bytes] = []  # not acknowledged yet
        self._told = False

    async def life(self, board: OnlineBoard) -> None:
        """Answer whatever comes until the update is over. Raises Killed."""
        while not self._told or self._events:
            if self._told:
                await self._upload(board)
                continue
            leaf, payload = await board.anything()
            if leaf == topics.CONTROL:
                await self._challenged(board, payload)
            elif leaf == topics.REKEY:
                await self._step()
                body = json.loads(self.site.script.open(leaf, payload))
                self.site.say(board, board_messages.command_result(body["command_id"], "done"))
                await self._step()
            elif leaf == topics.FIRMWARE:
                await self._firmware(board, payload)

    async def _challenged(self, board: OnlineBoard, payload: bytes) -> None:
        if seal.parse_freshness(seal.split(payload).freshness)[1] != self.site.script.boot:
            return  # it was kept for a former boot
        body = json.loads(self.site.script.open(topics.CONTROL, payload))
        await self._step()
        nonce = self._die.randbytes(16)
        self.site.say(board, board_messages.challenge_answer(body["command_id"], nonce))
        await self._step()

    async def _firmware(self, board: OnlineBoard, payload: bytes) -> None:
        await self._step()
        number = int(seal.split(payload).freshness[2:])
        self.numbers.add(number)
        body = json.loads(self.site.script.open(topics.FIRMWARE, payload))
        if "data" in body:
            data = base64.b64decode(body["data"])
            assert self.pieces.setdefault(body["offset"], data) == data, "half of another firmware"
        if len(self.pieces) < _PIECES:
            offset = sum(map(len, self.pieces.values()))
            self.site.say(board, encode({"want": "firmware", "version": number, "offset": offset}))
        else:
            self._told = True
            for state in ("installed", "confirmed"):
                report = {"order": number, "version": "0.1.0", "state": state}
                self._events.append(self.site.script.event("update", report))
        await self._step()

    async def _upload(self, board: OnlineBoard) -> None:
        await self._step()
        await board.upload(self._events[0])
        del self._events[0]

    async def _step(self) -> None:
        self.left -= 1
        if self.left == 0:
            await self.site.victim.end(signal.SIGKILL)
            raise Killed


@pytest.mark.timeout(600)
async def test_killed_anywhere_in_a_roll_out_it_is_done_and_told_once(
    victim: Victim, enrolment: Enrolment
) -> None:
    site, die = Site(victim, enrolment), random.Random(SEED)
    board = Told(site, die)
    for life in range(KILLS + 1):
        # The last one is left alone.
        board.left = die.randrange(1, 6) if life < KILLS else 0
        async with site as online:
            if life == 0:
                await site.ask("POST", "updates", {"devices": ["front"]})
            with contextlib.suppress(Killed):
                await board.life(online)
            assert victim.is_running == (life == KILLS)
            if victim.is_running:
                await site.until("state", "confirmed")
                rows = await site.ask("GET", "audit?limit=100")
    kinds = [row["kind"] for row in rows]
    for kind in ("device.trusts", "update.offered", "update.installed", "update.confirmed"):
        assert kinds.count(kind) == 1, (kind, SEED)
    assert len(board.numbers) == 1, "one order, and no other"
