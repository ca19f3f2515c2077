"""The whole gateway, and a scripted board that talks to it over the embedded broker."""

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from site_support import ANY_PORT, api_of, running, settings_for
from stage.house import MEMBER, STRANGER, furnish
from stage.online import OnlineBoard
from stage.secrets import Enrolment

from doorward.runtime.gateway import Gateway
from doorward_core import board_messages, cache_messages, gateway_seal, seal, topics
from doorward_core.records import Cache


@pytest.fixture
async def enrolment(tmp_path: Path) -> Enrolment:
    return await furnish(tmp_path)


@pytest.fixture
async def gateway(tmp_path: Path, enrolment: Enrolment, broker: str) -> AsyncIterator[Gateway]:
    defaults = {**ANY_PORT, "timezone": "Europe/Berlin"}
    async with running(Gateway(settings_for(tmp_path, broker, defaults=defaults))) as gateway:
        yield gateway


@pytest.fixture
async def board(gateway: Gateway, enrolment: Enrolment) -> AsyncIterator[OnlineBoard]:
    async with OnlineBoard(enrolment, gateway.plain_port) as board:
        yield board


@pytest.fixture
async def api(gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    async with api_of(gateway) as client:
        yield client


async def test_a_tap_is_answered_and_on_record(board: OnlineBoard, api: httpx.AsyncClient) -> None:
    nonce = os.urandom(16)
    assert json.loads(await board.tap(MEMBER, nonce))["access_granted"] is True
    ack = await board.upload(board.script.decision(MEMBER, nonce, granted=True))
    held = {"epoch": board.script.epoch, "seq": 1, "digest": board.script.digest.hex()}
    assert json.loads(ack) == held
    assert json.loads(await board.tap(STRANGER, os.urandom(16)))["access_granted"] is False
    await board.upload(board.script.event("door.open", {}))
    rows = (await api.get("/audit", params={"door": "front"})).json()
    assert [(row["kind"], row["granted"], row["person"]) for row in rows] == [
        ("door.open", None, None),
        ("access.decision", False, None),
        ("access.decision", True, "Maya Okafor"),
    ]


async def test_a_revoked_card_is_refused_on_the_very_next_tap(
    board: OnlineBoard, api: httpx.AsyncClient
) -> None:
    assert json.loads(await board.tap(MEMBER, os.urandom(16)))["access_granted"] is True
    assert (await api.post("/cards/revoke", json={"uid": MEMBER.hex()})).is_success
    assert json.loads(await board.tap(MEMBER, os.urandom(16)))["rule"] == 2


async def test_the_board_fetches_its_cache_and_finds_the_member_in_it(board: OnlineBoard) -> None:
    payload = await board.heard(topics.CONFIG)
    wanted = cache_messages.parse_config(board.script.open(topics.CONFIG, payload))
    assert seal.split(payload).freshness == gateway_seal.counter_word(wanted.cache_version)
    file = b""
    while len(file) < wanted.cache_size:
        body = cache_messages.cache_wanted(wanted.cache_version, len(file))
        board.publish(topics.COMMANDS_ACK, board.script.say(topics.COMMANDS_ACK, body))
        piece = board.script.open(topics.CACHE, await board.heard(topics.CACHE))
        file += cache_messages.parse_cache_chunk(piece)[3]
    assert hashlib.sha256(file).hexdigest() == wanted.cache_digest
    cache = Cache(BytesIO(file), board.script.keys)
    cache.check()
    assert cache.lookup(seal.tag(board.script.keys, MEMBER)) is not None
    assert cache.lookup(seal.tag(board.script.keys, STRANGER)) is None


async def test_a_release_from_the_api_is_unknown_until_the_boards_log_says_so(
    board: OnlineBoard, api: httpx.AsyncClient
) -> None:
    await _until_online(api)
    release = (await api.post("/doors/front/open")).json()
    assert release["state"] == "unknown"
    challenge = json.loads(board.script.open(topics.CONTROL, await board.heard(topics.CONTROL)))
    nonce = os.urandom(16)
    body = board_messages.challenge_answer(challenge["command_id"], nonce)
    board.publish(topics.COMMANDS_ACK, board.script.say(topics.COMMANDS_ACK, body))
    payload = await board.heard(topics.CONTROL)
    assert seal.split(payload).freshness == seal.nonce_word(nonce)
    assert json.loads(board.script.open(topics.CONTROL, payload))["command"] == "unlock"
    assert (await api.get("/doors")).json()[0]["release"]["state"] == "unknown"
    data = {"locked": False, "cause": "release", "command_id": challenge["command_id"]}
    await board.upload(board.script.event("lock.changed", data))
    assert (await api.get("/doors")).json()[0]["release"]["state"] == "opened"


async def test_a_board_that_leaves_without_goodbye_is_seen_leaving(
    gateway: Gateway, enrolment: Enrolment, api: httpx.AsyncClient
) -> None:
    async with OnlineBoard(enrolment, gateway.plain_port) as board:
        await _until_online(api)
        sock = board._client.socket()
        assert sock is not None
        # Not on this loop: it ends when the broker, which is on it too, has acknowledged everything.
        await asyncio.to_thread(board._client.loop_stop)
        sock.close()
        await _until_online(api, online=False)


async def test_nobody_without_a_secret_gets_in(gateway: Gateway, enrolment: Enrolment) -> None:
    wrong = Enrolment(enrolment.device, "0" * 64, enrolment.key)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await OnlineBoard(wrong, gateway.plain_port).__aenter__()


async def _until_online(api: httpx.AsyncClient, *, online: bool = True) -> None:
    async with asyncio.timeout(10):
        while (await api.get("/doors")).json()[0]["online"] is not online:  # noqa: ASYNC110 - the API has no event
            await asyncio.sleep(0.02)
