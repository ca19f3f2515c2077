"""MQTT over HTTP against a whole gateway: through its broker, its policy and back."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from site_support import broker_of, settings_for
from stage.house import furnish
from stage.online import OnlineBoard
from stage.secrets import Enrolment

from doorward import config
from doorward.config import MOSQUITTO
from doorward.runtime.gateway import Gateway

ANY_PORT = {"web": {"port": 0}, "mqtt": {"port": 0}, "timezone": "Europe/Berlin"}


@pytest.fixture
async def enrolment(tmp_path: Path) -> Enrolment:
    return await furnish(tmp_path)


@pytest.fixture
async def gateway(tmp_path: Path, enrolment: Enrolment) -> AsyncIterator[Gateway]:
    gateway = Gateway(config.load(tmp_path, defaults=ANY_PORT, environ={}))
    await gateway.start()
    yield gateway
    await gateway.stop()
    await gateway.wait()


@pytest.fixture
async def api(gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.AsyncHTTPTransport(uds=str(gateway.settings.socket))
    async with httpx.AsyncClient(transport=transport, base_url="http://doorward/api/v1") as client:
        yield client


async def test_a_message_goes_through_the_broker_to_whoever_listens(api: httpx.AsyncClient) -> None:
    order = {"topics": ["school/#"], "qos": 1}
    lines = {"Accept": "application/jsonl"}
    async with (
        asyncio.timeout(20),
        api.stream("POST", "/mqtt/subscribe", json=order, headers=lines) as told,
    ):
        heard = told.aiter_lines()
        assert await anext(heard) == ""  # nothing is missed from here on
        message = {"topic": "school/bell", "payload": "ring", "qos": 1, "retain": True}
        assert (await api.post("/mqtt/publish", json=message)).status_code == 200
        came = json.loads(await anext(heard))
        assert (came["topic"], came["payload"], came["qos"]) == ("school/bell", "ring", 1)
    kept = await api.post("/mqtt/subscribe", json={"topic": "school/bell", "count": 1})
    [message] = kept.json()["messages"]
    assert (message["payload"], message["retain"]) == ("ring", True)


async def test_a_board_hears_nothing_raw(
    gateway: Gateway, enrolment: Enrolment, api: httpx.AsyncClient
) -> None:
    async with OnlineBoard(enrolment, gateway.plain_port):
        for leaf in ("commands/control", "config", "access/response"):
            order = {"topic": f"doorward/devices/{enrolment.device}/{leaf}", "payload": "x"}
            assert (await api.post("/mqtt/publish", json=order)).status_code == 403
        status = (await api.get("/mqtt/status")).json()
        assert status["broker"] == "embedded"
        assert status["connected"] is True
        assert status["listeners"]["plain"] == gateway.plain_port
        assert status["numbers"]["connections"] >= 2
    told = await api.get(f"/mqtt/topics/device/{enrolment.device}")
    assert len(told.json()["topics"]) > 15
    assert (await api.get("/mqtt/topics/device/nobody")).status_code == 404


async def test_the_policy_has_the_last_word(api: httpx.AsyncClient) -> None:
    refused = await api.post("/mqtt/publish", json={"topic": "$SYS/broker/version"})
    assert refused.status_code == 403
    assert "deny" in refused.json()["error"]["message"]


async def test_prometheus_is_told_of_broker_and_gateway(
    gateway: Gateway, api: httpx.AsyncClient
) -> None:
    assert (await api.post("/mqtt/publish", json={"topic": "a", "qos": 2})).is_success
    text = (await api.get("http://doorward/metrics")).text
    found = dict(re.findall(r"^(doorward_[^ ]+) ([^ ]+)$", text, re.MULTILINE))
    assert found['doorward_broker_messages_received_total{qos="2"}'] == "1.0"
    assert found["doorward_link_up"] == "1.0"
    assert found['doorward_decisions_total{verdict="granted"}'] == "0.0"
    assert float(found["doorward_broker_connections"]) >= 1
    flat = (await api.get("/mqtt/monitoring/metrics")).json()["metrics"]
    assert flat["doorward_link_up"] == 1
    assert set(flat) >= {name for name in found if "_bucket" not in name and "_created" not in name}
    async with httpx.AsyncClient() as stranger:
        assert (await stranger.get(f"{gateway.url}/metrics")).status_code == 401


async def test_a_stopping_gateway_does_not_wait_for_listeners(
    gateway: Gateway, api: httpx.AsyncClient
) -> None:
    lines = {"Accept": "application/jsonl"}
    async with api.stream("POST", "/mqtt/subscribe", json={"topic": "#"}, headers=lines) as told:
        heard = told.aiter_lines()
        assert await anext(heard) == ""
        async with asyncio.timeout(15):
            await gateway.stop()


async def test_the_same_goes_through_mosquitto(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "site", MOSQUITTO)
    async with broker_of(settings):
        gateway = Gateway(settings)
        await gateway.start()
        try:
            transport = httpx.AsyncHTTPTransport(uds=str(settings.socket))
            async with httpx.AsyncClient(
                transport=transport, base_url="http://doorward/api/v1"
            ) as api:
                status = (await api.get("/mqtt/status")).json()
                assert (status["broker"], status["connected"]) == ("mosquitto", True)
                message = {"topic": "school/bell", "payload": "ring", "qos": 1, "retain": True}
                assert (await api.post("/mqtt/publish", json=message)).status_code == 200
                order = {"topic": "school/#", "count": 1}
                heard = (await api.post("/mqtt/subscribe", json=order)).json()["messages"]
                assert [one["payload"] for one in heard] == ["ring"]
                order = {"topic": "doorward/devices/front/commands/control"}
                assert (await api.post("/mqtt/publish", json=order)).status_code == 403
                assert "doorward_link_up 1.0" in (await api.get("http://doorward/metrics")).text
        finally:
            await gateway.stop()
            await gateway.wait()
