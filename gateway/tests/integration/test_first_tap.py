"""Everything at once: real firmware on a virtual board, embedded broker, gateway, and somebody who owns the broker.

The witness is the relay; what the broker's owner sees is all that goes through it.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import paho.mqtt.client as paho
import pytest
from fakes.visitor import Visitor
from paho.mqtt.enums import CallbackAPIVersion
from site_support import BROKERS, api_of, is_current, open_account, profiles
from watching import PATIENCE_S, openings, strike, until

from doorward.runtime.demo import site as demosite
from doorward.runtime.demo.gateway import VirtualSite
from doorward_core import topics
from doorward_lab import Board, Lab

pytestmark = pytest.mark.parametrize("broker", BROKERS, indirect=True)

OWNER = "owner"
SECRET = "5e" * 32


class BrokerOwner:
    """Reads all, keeps all, and publishes whatever it likes."""

    def __init__(self, port: int) -> None:
        self.seen: list[paho.MQTTMessage] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=OWNER)
        self._client.username_pw_set(OWNER, SECRET)
        self._client.on_message = lambda _client, _data, message: self.seen.append(message)
        self._client.on_connect = lambda client, *_: client.subscribe("doorward/#", qos=1)
        self._client.on_socket_open = lambda _client, _data, sock: cast(
            socket.socket, sock
        ).setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def of(self, suffix: str) -> list[bytes]:
        return [m.payload for m in self.seen if m.topic.endswith("/" + suffix) and m.payload]

    def publish(self, suffix: str, payload: bytes, *, retain: bool = False) -> None:
        topic = topics.device_topic(topics.BASE, "front", suffix)
        self._client.publish(topic, payload, qos=1, retain=retain)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
async def owner(site: VirtualSite) -> AsyncIterator[BrokerOwner]:
    """Somebody else, with an account that may do everything."""
    await open_account(site, OWNER, SECRET)
    owner = BrokerOwner(site.plain_port)
    yield owner
    owner.close()


@pytest.fixture
async def board(site: VirtualSite, owner: BrokerOwner, lab: Lab) -> Board:
    board = await lab.start_board(profiles(site)[0])
    await until(lambda: is_current(site), board)
    return board


async def tap(board: Board, card: str) -> None:
    """Hold a card for a moment, then let the board settle the question (2 s at the most)."""
    await board.tap(demosite.CARDS[card].uid, hold_ms=300)


async def opened_and_locked(board: Board) -> None:
    edge = await board.wait_edge(strike(board), 1, PATIENCE_S)
    await board.wait_edge(strike(board), 0, PATIENCE_S, since_ns=edge.at_ns)


async def audit(site: VirtualSite) -> list[dict[str, Any]]:
    async with api_of(site) as client:
        rows: list[dict[str, Any]] = (await client.get("/audit?limit=500")).json()
        return rows


async def verdicts(site: VirtualSite) -> list[tuple[str | None, str | None, bool | None]]:
    return [
        (row["card_tail"], row["person"], row["granted"])
        for row in reversed(await audit(site))
        if row["kind"] == "access.decision"
    ]


async def test_each_card_of_the_demo_ends_as_its_rules_say(site: VirtualSite, board: Board) -> None:
    for card in ("former", "stranger"):
        await tap(board, card)
        await asyncio.sleep(0.3)
    assert openings(board) == 0
    await tap(board, "member")
    await opened_and_locked(board)
    await until(lambda: site.cases.states.get("front").locked is True, board)
    assert await verdicts(site) == [
        ("7EE2", "Ana Ruiz", False),
        ("E5F7", None, False),
        ("E5F6", "Maya Okafor", True),
    ]
    assert openings(board) == 1


async def test_who_owns_the_broker_opens_nothing(
    site: VirtualSite, board: Board, owner: BrokerOwner
) -> None:
    await tap(board, "member")
    await opened_and_locked(board)
    release = await site.cases.releases.open("front", "test")
    await until(lambda: openings(board) == 2, board)  # the two legitimate ones
    await until(lambda: board.levels[strike(board)] == 0, board)
    assert release.state == "unknown"

    recorded = [
        (message.topic.split("/", 3)[3], bytes(message.payload))
        for message in owner.seen
        if message.payload
    ]
    assert {suffix for suffix, _ in recorded} >= {topics.ACCESS_RESPONSE, topics.CONTROL}
    for retain in (False, True):
        for suffix, payload in recorded:
            owner.publish(suffix, payload, retain=retain)
    await asyncio.sleep(0.5)
    # While a call is open: every old answer, and the right one with its verdict turned round.
    board.present(demosite.CARDS["stranger"].uid)
    await until(lambda: len(owner.of(topics.ACCESS_RESPONSE)) > 3, board)
    denied = owner.of(topics.ACCESS_RESPONSE)[-1]
    owner.publish(topics.ACCESS_RESPONSE, denied.replace(b"false", b"true"))
    for payload in owner.of(topics.ACCESS_RESPONSE) + owner.of(topics.CONTROL):
        owner.publish(topics.ACCESS_RESPONSE, payload)
        owner.publish(topics.CONTROL, payload)
    await asyncio.sleep(2.5)
    board.remove()
    assert openings(board) == 2

    # And after a restart, with all of it retained or queued.
    said = len(owner.of(topics.ONLINE))
    board.reset()
    await until(lambda: len(owner.of(topics.ONLINE)) > said and is_current(site), board)
    await asyncio.sleep(1)
    assert openings(board) == 2
    await tap(board, "member")
    await opened_and_locked(board)
    assert openings(board) == 3, "the door still works"


async def test_no_card_number_can_be_read_anywhere(
    site: VirtualSite,
    board: Board,
    owner: BrokerOwner,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for card in demosite.CARDS:
        await tap(board, card)
        await asyncio.sleep(0.2)
    await until(lambda: len(owner.of(topics.EVENTS)) >= len(demosite.CARDS), board)
    async with Visitor(base_url=f"http://127.0.0.1:{site.web_port}") as browser:
        await browser.open(f"/enter/{site.tokens.enter}")
        await browser.submit(f"/enter/{site.tokens.enter}")
        page = await browser.open("/")
        assert "Maya Okafor" in page.text, "the positive control: this is the live page"
    assert b"E5F6" in page.content
    flash = {path for path in tmp_path.rglob("*") if path.is_file()} - {
        # The demo's own table of cards, and what is compiled from it, are the cards themselves.
        site.settings.directory / "site.json"
    }
    places = {str(path): path.read_bytes() for path in flash}
    assert any(name.endswith("gateway.db-wal") for name in places)
    places["traffic"] = b"\n".join(m.topic.encode() + m.payload for m in owner.seen)
    assert b"access_granted" in places["traffic"]
    places["page"] = page.content
    places["audit"] = json.dumps(await audit(site)).encode()
    places["logs"] = "".join(capfd.readouterr()).encode() + "\n".join(board.log).encode()
    for one in demosite.CARDS.values():
        shown = one.uid.hex()
        for spelling in (
            one.uid,
            shown.encode(),
            shown.upper().encode(),
            one.uid.hex(":").encode(),
        ):
            found = [name for name, content in places.items() if spelling in content]
            assert not found, f"{shown} in {found}"
