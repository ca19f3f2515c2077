"""`doorward doctor NAME` on boards of every kind, and while somebody stands at one.

The witness of a door is its relay, that of a denial the broker's log.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from site_support import api_of, is_current, open_account, profiles, running, settings_for
from virtual_vault import turns
from watching import PATIENCE_S, openings, strike, until

from doorward.app.views.boards import SelfTest
from doorward.runtime.demo import site as demosite
from doorward.runtime.demo.gateway import VirtualSite
from doorward_core import topics
from doorward_lab import Board, Lab

KINDS = {"front": "combined", "vault": "vault", "hall": "motion", "lamp": "lamp"}
PARTS = {
    "front": ["board", "flash", "broker", "inputs", "reader"],
    "vault": ["board", "flash", "broker", "inputs"],
    "hall": ["board", "flash", "broker", "inputs"],
    "lamp": ["board", "flash", "broker", "inputs"],
}
# What is broken at each, and what is said of it.
FAULTS = {
    "front": ("pir-stuck", "pir.stuck", "GPIO 34"),
    "vault": ("key-stuck", "keypad.key", "GPIO 18"),
    "hall": ("tamper-open", "tamper.open", "GPIO 33"),
    "lamp": ("button-shorted", "button.pressed", "GPIO 27"),
}
OWNER, SECRET = "owner", "5e" * 32


class Kinds(VirtualSite):
    """A site with a board of each kind that is not a plain door."""

    devices = tuple(
        demosite.DemoBoard(name, f"{kind}-esp32", name.title()) for name, kind in KINDS.items()
    )


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[VirtualSite]:
    async with running(Kinds(settings_for(tmp_path / "site"))) as site:
        yield site


async def start(site: VirtualSite, lab: Lab, name: str) -> Board:
    profile: dict[str, Any] = next(one for one in profiles(site) if one["id"] == name)
    board = await lab.start_board(profile)

    def is_there() -> bool:
        view = site.cases.devices.get(name)
        return view.online and (view.door_id is None or is_current(site, name))

    await until(is_there, board)
    return board


async def over(site: VirtualSite, board: Board) -> SelfTest:
    cases = site.cases.selftests
    name = board.profile["id"]

    def state() -> str:
        found = cases.get(name)
        return found.state if found else ""

    await until(lambda: state() in {"done", "failed"}, board)
    found = cases.get(name)
    assert found is not None
    assert found.state == "done", (found.note, "\n".join(board.log))
    return found


async def looked(site: VirtualSite, board: Board) -> SelfTest:
    await site.cases.selftests.start(board.profile["id"], "sam")
    return await over(site, board)


async def denials(site: VirtualSite) -> list[str]:
    async with api_of(site) as api:
        found = (await api.get("/broker/log", params={"action": "DENIED"})).json()
    return [entry["principal"] for entry in found]


async def test_every_kind_of_board_tests_itself_and_leaves_no_denial(
    site: VirtualSite, lab: Lab
) -> None:
    boards = [await start(site, lab, name) for name in KINDS]
    for test in await asyncio.gather(*(looked(site, board) for board in boards)):
        assert list(test.readings) == PARTS[test.device]
        assert test.findings == (), test.device
        # The embedded broker has refused what was tried, and calls it what it is.
        assert test.readings["broker"] == {"echoes": 0}
    for board in boards:
        board.set_fault(FAULTS[board.profile["id"]][0])
    for test in await asyncio.gather(*(looked(site, board) for board in boards)):
        _, code, words = FAULTS[test.device]
        assert [finding.code for finding in test.findings] == [code], test.device
        assert words in test.findings[0].sentence
    assert await denials(site) == []


async def ended(site: VirtualSite, board: Board) -> tuple[SelfTest, int]:
    """The test when it is over, and when that was seen, never before it was."""
    test = await over(site, board)
    return test, time.monotonic_ns()


async def test_a_card_and_a_code_open_while_boards_test_themselves_and_what_is_found_is_right(
    site: VirtualSite, lab: Lab
) -> None:
    """Also while somebody throws rubbish at them: what they refuse of that says nothing of the broker's rules.

    Mutants: every refusal counts as an echo; a card, or a code, waits until the test is over.
    """
    await open_account(site, OWNER, SECRET)
    front, vault = [await start(site, lab, name) for name in ("front", "vault")]
    stranger = paho.Client(CallbackAPIVersion.VERSION2, client_id=OWNER)
    stranger.username_pw_set(OWNER, SECRET)
    stranger.connect("127.0.0.1", site.plain_port)
    stranger.loop_start()
    try:
        for board in (front, vault):
            await site.cases.selftests.start(board.profile["id"], "sam")
        tests = [asyncio.create_task(ended(site, board)) for board in (front, vault)]
        since = front.present(demosite.CARDS["member"].uid)
        for board in (front, vault):
            place = topics.device_topic("doorward", board.profile["id"], topics.ACCESS_RESPONSE)
            stranger.publish(place, b"rubbish", qos=1)
        edge = await front.wait_edge(strike(front), 1, PATIENCE_S, since_ns=since)
        front.remove()
        await vault.type_keys(demosite.CODE + "#", hold_ms=60)
        await until(lambda: turns(vault)[:2] == ["locked", "unlocked"], vault)
        (at_front, over_ns), (at_vault, _) = await asyncio.gather(*tests)
    finally:
        stranger.disconnect()
        stranger.loop_stop()
    assert edge.at_ns < over_ns
    assert openings(front) == 1
    for test in (at_front, at_vault):
        assert list(test.readings) == PARTS[test.device]
        assert test.findings == ()
        assert test.readings["broker"] == {"echoes": 0}
