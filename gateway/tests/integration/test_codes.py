"""A door with a keypad: a code opens it, with the gateway and without; guessing ends; nothing tells the digits.

The witness is the relay, as the virtual hardware saw it.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from site_support import api_of, is_current, open_account, profiles
from watching import PATIENCE_S, openings, strike, until

from doorward.runtime.demo import site as demosite
from doorward.runtime.demo.gateway import VirtualSite
from doorward_core import codes
from doorward_lab import Board, Lab

KEYPAD = {"driver": "wiegand", "d0": 16, "d1": 17}
DIGITS = "47110815"
OTHERS = ("90210733", "31415927", "16180339", "27182818", "14142135")
COPIER = "copier"
OWNER, SECRET = "owner", "5e" * 32


@pytest.fixture
async def seen(site: VirtualSite) -> AsyncIterator[list[paho.MQTTMessage]]:
    """All that goes through the broker."""
    await open_account(site, OWNER, SECRET)
    found: list[paho.MQTTMessage] = []
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=OWNER)
    client.username_pw_set(OWNER, SECRET)
    client.on_message = lambda _client, _data, message: found.append(message)
    client.on_connect = lambda client, *_: client.subscribe("doorward/#", qos=1)
    client.connect("127.0.0.1", site.plain_port)
    client.loop_start()
    yield found
    client.disconnect()
    client.loop_stop()


@pytest.fixture
async def board(site: VirtualSite, lab: Lab) -> Board:
    profile = profiles(site)[0]
    board = await lab.start_board({**profile, "pins": {**profile["pins"], "keypad": KEYPAD}})
    await until(lambda: is_current(site), board)
    return board


async def entry(board: Board, code: str) -> None:
    await board.type_keys(f"{code}#", hold_ms=60)


async def opens(board: Board, times: int) -> None:
    await until(lambda: openings(board) == times, board)
    edge = [edge for edge in board.edges if edge.pin == strike(board)][-1]
    await board.wait_edge(strike(board), 0, PATIENCE_S, since_ns=edge.at_ns - 1)


async def rows(site: VirtualSite, kind: str) -> list[dict[str, Any]]:
    async with api_of(site) as api:
        found: list[dict[str, Any]] = (await api.get("/audit", params={"limit": 500})).json()
    return [row for row in reversed(found) if row["kind"] == kind]


async def recorded(site: VirtualSite, kind: str, count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(PATIENCE_S):
        while len(found := await rows(site, kind)) < count:  # noqa: ASYNC110 - the API has no event for it
            await asyncio.sleep(0.05)
    return found


def readable(places: dict[str, bytes], code: str) -> list[str]:
    """Where these digits can be read, as text or as the board's credential."""
    made = codes.credential(code)
    spelt = (code.encode(), made, made.hex().encode(), made.hex().upper().encode())
    return [name for name, content in places.items() if any(word in content for word in spelt)]


async def test_a_code_opens_a_door_and_can_be_read_nowhere(
    site: VirtualSite,
    board: Board,
    seen: list[paho.MQTTMessage],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    async with api_of(site) as api:
        given = await api.post("/codes", json={"person": "maya okafor", "code": DIGITS})
        assert (given.status_code, given.json()["code"]) == (201, None)
        made = (await api.post("/codes", json={"person": "Jonas Weber"})).json()["code"]
        why = await api.post("/why", json={"door": "front", "code": DIGITS})
        assert (why.json()["verdict"], why.json()["card_tail"]) == ("grant", "code")
        unknown = (await api.post("/why", json={"door": "front", "code": "99887766"})).json()
        assert "Nobody here has this code." in unknown["sentence"]
    await until(lambda: is_current(site), board)

    # At the gateway.
    await entry(board, DIGITS)
    await opens(board, 1)
    (decision,) = await recorded(site, "access.decision", 1)
    assert (decision["person"], decision["card_tail"]) == ("Maya Okafor", "code")

    # Typed wrong, unfinished, started over: nothing moves until it is right.
    await board.type_keys("4711*08#", hold_ms=60)
    await entry(board, DIGITS[:-1] + "6")
    await asyncio.sleep(0.5)
    assert openings(board) == 1
    await board.type_keys(f"99*{DIGITS}#", hold_ms=60)
    await opens(board, 2)

    # Five wrong ones, of which one was above: then nobody's code is looked at, and every card is.
    for code in OTHERS[:4]:
        await entry(board, code)
    (closed,) = await recorded(site, "lockout.entered", 1)
    assert closed["why"].startswith(
        "Wrong codes were typed, 5 that count: the keypad looks at none for 1 min"
    )
    # A good one, a wrong one, a good one, four wrong ones; what is no whole code is not asked for.
    asked = len(await recorded(site, "access.decision", 7))
    for code in (DIGITS, OTHERS[4]):
        await entry(board, code)
    await asyncio.sleep(0.5)
    assert openings(board) == 2
    assert len(await rows(site, "access.decision")) == asked, "the gateway was not even asked"
    await board.tap(demosite.CARDS["member"].uid, hold_ms=300)
    await opens(board, 3)
    assert site.cases.states.get("front").lockout is None, "cards know nothing of it"

    places = {str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    places["traffic"] = b"\n".join(m.topic.encode() + m.payload for m in seen)
    assert b"access_granted" in places["traffic"]
    places["audit"] = json.dumps(await rows(site, "access.decision")).encode()
    places["logs"] = "".join(capfd.readouterr()).encode() + "\n".join(board.log).encode()
    for code in (DIGITS, made, *OTHERS):
        assert not readable(places, code), code
    assert readable({"control": b"P" + bytes.fromhex(DIGITS) + bytes(3)}, DIGITS) == ["control"]


async def test_who_may_ends_the_wait_of_a_keypad_from_afar(
    site: VirtualSite, board: Board, seen: list[paho.MQTTMessage]
) -> None:
    """One more try, on record, by a challenge. A copy of it ends nothing, and neither does a plain statement."""
    states = site.cases.states

    async def ended(status: int) -> dict[str, Any]:
        async with api_of(site) as api:
            answer = await api.post("/doors/front/end-wait")
        assert answer.status_code == status, answer.text
        told: dict[str, Any] = answer.json()
        return told

    assert "no keypad of Front door waits" in (await ended(409))["error"]["message"]
    async with api_of(site) as api:
        assert (await api.post("/codes", json={"person": "Maya Okafor", "code": DIGITS})).is_success
    await until(lambda: is_current(site), board)
    for code in OTHERS:
        await entry(board, code)
    await until(lambda: states.get("front").codes_until is not None, board)
    await entry(board, DIGITS)
    release = await ended(202)
    await until(lambda: states.get("front").codes_until is None, board)
    (over,) = await recorded(site, "lockout.cleared", 1)
    assert (over["why"], over["note"]) == ("The keypad's wait was ended from afar.", release["id"])
    (asked,) = await recorded(site, "release.requested", 1)
    assert asked["why"] == "Asked to end the keypad's wait."
    assert over["actor"] == asked["actor"] == release["actor"]
    assert openings(board) == 0
    view = states.get("front").release
    assert view is not None
    assert view.state == "opened"
    await entry(board, DIGITS)
    await opens(board, 1)

    # The next wrong one is one too many again. What was said to end the first wait does not end this one, and nobody
    # does: a keypad is released once.
    await entry(board, OTHERS[0])
    await until(lambda: states.get("front").codes_until is not None, board)
    again = [m for m in seen if m.topic.endswith("commands/control")]
    assert any(b'"release"' in message.payload for message in again)
    await open_account(site, COPIER, SECRET)
    copier = paho.Client(CallbackAPIVersion.VERSION2, client_id=COPIER)
    copier.username_pw_set(COPIER, SECRET)
    copier.connect("127.0.0.1", site.plain_port)
    copier.loop_start()
    for message in again:
        sent = copier.publish(message.topic, message.payload, qos=1)
        await asyncio.to_thread(sent.wait_for_publish, PATIENCE_S)
    # The broker has all copies: what the board answers from now on comes after them.
    second = await ended(202)
    (failed,) = await recorded(site, "release.failed", 1)
    assert failed["note"] == second["id"]
    assert failed["why"] == (
        "Nothing ended: its keypad was released once already, and only time ends this wait."
    )
    copier.disconnect()
    copier.loop_stop()
    await recorded(site, "rejected", 1)
    assert states.get("front").codes_until is not None
    assert len(await rows(site, "lockout.cleared")) == 1


async def test_without_a_gateway_the_board_knows_the_code_and_goes_on_counting(
    site: VirtualSite, board: Board, seen: list[paho.MQTTMessage]
) -> None:
    async with api_of(site) as api:
        assert (await api.post("/codes", json={"person": "Maya Okafor", "code": DIGITS})).is_success
        await until(lambda: is_current(site), board)
        await entry(board, OTHERS[0])
        await recorded(site, "access.decision", 1)
    await site.stop()
    await entry(board, DIGITS)
    await opens(board, 1)
    for code in OTHERS[1:]:
        await entry(board, code)
    await entry(board, DIGITS)
    await asyncio.sleep(0.5)
    assert openings(board) == 1
    # The power does not end it.
    await board.kill()
    await board.power_on()
    await board.wait_log("doorward: broker", PATIENCE_S)
    await entry(board, DIGITS)
    await asyncio.sleep(1)
    assert (
        strike(board) not in {edge.pin for edge in board.edges if edge.level}
        or openings(board) == 1
    )
