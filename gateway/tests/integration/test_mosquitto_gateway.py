"""A gateway on Mosquitto, in what no other test sees: what was kept while it was away, and a Mosquitto that goes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from mosquitto_clients import Client
from site_support import api_of, broker_of, open_account, running, settings_for
from watching import until

from doorward.config import MOSQUITTO, Settings
from doorward.errors import StartupError
from doorward.runtime.demo.gateway import VirtualSite
from doorward.runtime.gateway import Gateway
from doorward.runtime.mosquitto import setup as mosquitto
from doorward_core import topics

SECRET = "5e" * 32


@pytest.fixture
async def settings(tmp_path: Path) -> AsyncIterator[Settings]:
    settings = settings_for(tmp_path / "site", MOSQUITTO)
    async with broker_of(settings):
        yield settings


@pytest.fixture
async def api(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with running(VirtualSite(settings)) as site, api_of(site) as client:
        yield client


async def test_questions_from_while_it_was_away_are_dropped_and_events_are_not(
    settings: Settings,
) -> None:
    async with running(VirtualSite(settings)) as site:
        await open_account(site, "witness", SECRET)

    def say(*messages: tuple[str, bytes]) -> None:
        witness = Client(site.plain_port, "witness", user="witness", secret=SECRET)
        for suffix, payload in messages:
            witness.publish(topics.device_topic(topics.BASE, "front", suffix), payload)
        witness.close()

    late = [(topics.ACCESS_REQUEST, b"late %d" % number) for number in range(5)]
    events = [(topics.EVENTS, b"event %d" % number) for number in range(5)]
    await asyncio.to_thread(say, *late, *events)
    async with running(Gateway(settings)) as again:
        await open_account(again, "witness", SECRET)
        await asyncio.to_thread(say, (topics.ACCESS_REQUEST, b"now"))
        # The board is not approved: whatever of it comes through is counted, and nothing else follows from it.
        fleet = again.cases.fleet
        await until(lambda: fleet.strangers > len(events))
        await asyncio.sleep(0.3)
        assert fleet.strangers == len(events) + 1, "the events, and what was asked just now"


async def test_sync_says_what_it_did(settings: Settings, api: httpx.AsyncClient) -> None:
    first = (await api.post("/broker/mosquitto/sync")).json()
    # The gateway, its own clients that speak for operators, and the board of the demo.
    assert (first["wanted"], first["changed"]) == (3, [])


async def test_what_mosquitto_says_of_itself_is_among_the_figures(settings: Settings) -> None:
    async with running(VirtualSite(settings)) as site, api_of(site) as api:
        view = site.side.view
        # The gateway, and who asks; Mosquitto counts anew every ten seconds, one figure after the other.
        await until(lambda: view.metrics().get("doorward_broker_connections", 0) >= 2)
        await until(lambda: view.metrics().get("doorward_broker_packets_received_total", 0) > 0)
        found = (await api.get("mqtt/monitoring/metrics")).json()["metrics"]
        assert found["doorward_broker_packets_received_total"] > 0
        assert b"doorward_broker_subscriptions" in view.exposition()
        assert (await api.get("mqtt/status")).json()["numbers"]["connections"] >= 2
        await asyncio.to_thread(mosquitto.stop, settings)
        await until(lambda: "doorward_broker_connections" not in view.metrics())


async def test_without_mosquitto_there_is_no_sync(tmp_path: Path) -> None:
    async with running(VirtualSite(settings_for(tmp_path / "inside"))) as site, api_of(site) as api:
        answer = await api.post("/broker/mosquitto/sync")
        assert answer.status_code == 409
        assert 'set broker = "mosquitto"' in answer.json()["error"]["message"]


async def test_a_gateway_survives_mosquitto_and_says_so(settings: Settings) -> None:
    async with running(VirtualSite(settings)) as site, api_of(site) as api:

        async def check(name: str) -> tuple[bool, str]:
            said = (await api.get("/health")).json()["checks"]
            (found,) = (one for one in said if one["name"] == name)
            return found["ok"], found["detail"]

        await asyncio.to_thread(mosquitto.stop, settings)
        await until(lambda: not site.link.connected)
        assert (await check("broker"))[0] is False
        refused = await api.post("/broker/mosquitto/sync")
        assert refused.status_code == 503
        assert "start it with" in refused.json()["error"]["message"]
        # Whatever happened to its accounts meanwhile.
        mosquitto.places_of(settings).security.unlink()
        await mosquitto.set_up(settings)
        pid = await asyncio.to_thread(mosquitto.start, settings)
        await until(lambda: site.link.connected)
        assert await check("broker") == (True, f"Mosquitto, process {pid}")


async def test_a_gateway_does_not_start_without_its_mosquitto(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("doorward.runtime.mosquitto.side._PATIENCE_S", 0.5)
    await asyncio.to_thread(mosquitto.stop, settings)
    with pytest.raises(StartupError, match="start it with `doorward broker mosquitto start`"):
        await Gateway(settings).start()
    moved = settings.model_copy(
        update={"mqtt": settings.mqtt.model_copy(update={"plain_port": 1999})}
    )
    with pytest.raises(StartupError, match="set up for other ports"):
        await Gateway(moved).start()
    bare = settings_for(tmp_path / "bare", MOSQUITTO)
    with pytest.raises(StartupError, match="run `doorward broker mosquitto setup`"):
        await Gateway(bare).start()
