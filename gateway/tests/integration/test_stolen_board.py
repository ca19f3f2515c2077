"""Two real boards, adopted and approved like any; one of them is stolen, searched, revoked and started by the thief.

The witness is the relay of the board that stayed, and what the broker lets in.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from site_support import BROKERS, api_of, broker_log, is_current, profiles, running
from watching import strike, until

from doorward.config import EMBEDDED
from doorward.runtime.demo import site as demosite
from doorward.runtime.demo.gateway import VirtualSite
from doorward.runtime.gateway import Gateway
from doorward.runtime.mosquitto.side import MosquittoSide
from doorward_lab import Lab

PATIENCE_S = 30.0
STOLEN, STAYS = "front", "side"


@pytest.fixture
async def api(site: VirtualSite) -> AsyncIterator[httpx.AsyncClient]:
    async with api_of(site) as client:
        yield client


async def adopt_second(site: VirtualSite, api: httpx.AsyncClient) -> dict[str, Any]:
    """Through the API, as an operator does; the board is given its files over USB."""
    answer = (await api.post("/devices", json={"id": STAYS, "board": "door-esp32"})).json()
    tls = {"tls": answer["tls"]} if "tls" in profiles(site)[0] else {}
    return {**answer["config"], **tls}


def secrets_of(profile: dict[str, Any]) -> list[bytes]:
    """A board's secrets, as text and as bytes."""
    texts = [profile[name] for name in ("secret", "key", "claim")]
    return [spelling for text in texts for spelling in (text.encode(), bytes.fromhex(text))]


def of_people() -> list[bytes]:
    """What nobody may learn from a board: card numbers in every spelling, and names."""
    found: list[bytes] = []
    for card in demosite.CARDS.values():
        shown = card.uid.hex()
        found += [card.uid, shown.encode(), shown.upper().encode(), card.uid.hex(":").encode()]
    return found + [word.encode() for one in demosite.PEOPLE for word in one.name.split()]


@pytest.mark.parametrize("broker", BROKERS, indirect=True)
async def test_a_stolen_board_says_nothing_about_others_and_is_shut_out(
    site: VirtualSite,
    broker: str,
    api: httpx.AsyncClient,
    lab: Lab,
    cache: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "doorward.broker")
    second = await adopt_second(site, api)
    first = profiles(site)[0]
    front = await lab.start_board(first)
    side = await lab.start_board(second)
    await until(lambda: site.cases.devices.get(STAYS).state == "announced", side)
    if broker == EMBEDDED:
        assert not site.broker.status().denied, "a waiting board does not even try for more"
    await api.post(f"/devices/{STAYS}/approve", json={"door": "Side door"})
    await until(lambda: is_current(site, STOLEN) and is_current(site, STAYS), front, side)
    for card in demosite.CARDS.values():
        await front.tap(card.uid, hold_ms=300)
        await asyncio.sleep(0.3)
    # The positive control: this door opens for its member.
    await front.wait_edge(strike(front), 1, PATIENCE_S, since_ns=0)
    await front.kill()

    image = (tmp_path / "lab/boards" / STOLEN / "flash.img").read_bytes()
    assert first["secret"].encode() in image, "the positive control: its own are found"
    assert first["key"].encode() in image
    assert b"E5F6" in image.upper(), "and what is on record of a card: four digits"
    for wanted in (*secrets_of(second), *of_people()):
        assert wanted not in image, wanted

    assert (await api.post(f"/devices/{STOLEN}/revoke")).is_success
    thief = tmp_path / "thief"
    shutil.copytree(tmp_path / "lab/boards" / STOLEN, thief / "boards" / STOLEN)
    async with Lab(thief, cache=cache) as den:
        caplog.clear()
        await den.start_board(first)
        before = turned_away(site, caplog)
        await until(lambda: turned_away(site, caplog) > before + 2, side)
        assert not site.cases.states.get(STOLEN).online
        if broker == EMBEDDED:
            assert not site.broker.connected()[STOLEN]
            assert site.broker.connected()[STAYS]
        released = await api.post(f"/doors/{STOLEN}/open")
        assert released.status_code == 503
        assert "offline" in released.json()["error"]["message"]
        opened = await api.post(f"/doors/{STAYS}/open")
        assert opened.is_success
        await side.wait_edge(strike(side), 1, PATIENCE_S, since_ns=0)
    assert len(side.starts) == 1
    kinds = [row["kind"] for row in (await api.get("/audit?limit=500")).json()]
    for kind in ("adopted", "announced", "approved"):
        assert kinds.count(f"device.{kind}") == 2
    assert kinds.count("device.revoked") == 1


def turned_away(site: VirtualSite, caplog: pytest.LogCaptureFixture) -> int:
    """How often the broker has refused the thief, as it says itself: for its secret, or for its certificate."""
    if isinstance(site.side, MosquittoSide):
        return broker_log(site).count("certificate verify failed")
    return sum("closed, refused" in text and repr(STOLEN) in text for text in caplog.messages)


# It counts what the broker inside holds; the same is measured on Mosquitto by delivery in test_mosquitto_accounts.
async def test_what_was_revoked_stays_out_after_a_restart(site: VirtualSite, lab: Lab) -> None:
    board = await lab.start_board(profiles(site)[0])
    await until(lambda: is_current(site, STOLEN), board)
    await lab.stop_board(STOLEN)
    assert site.broker.status().sessions == 2, "the positive control: a session that lasts"
    assert site.broker.status().retained > 0
    await site.cases.devices.revoke(STOLEN, actor="test")
    assert site.broker.status().sessions == 1
    assert site.broker.status().retained == 0
    await site.stop()
    await site.wait()
    assert not (site.settings.device_keys / f"{STOLEN}.key").exists()
    # A gateway that is no demo: one that gives the board no new keys.
    async with running(Gateway(site.settings)) as again:
        assert again.principals.get(STOLEN) is None
        assert again.cases.devices.get(STOLEN).state == "revoked"
        assert again.broker.status().retained == 0
        assert again.cases.fleet.find(STOLEN) is None
