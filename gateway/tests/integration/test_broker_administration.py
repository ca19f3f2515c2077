"""The broker administered on a real gateway: by the API of its local socket, by its command line, on its page."""

import asyncio
import json
import os
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import forked
import httpx
import pytest
from broker_support import Client
from fakes.visitor import Visitor

from doorward import config
from doorward.runtime.gateway import Gateway
from doorward_core import mqtt

API = "http://local/api/v1/"
PASSWORD = "correct horse battery"
PORTS = {
    "web": {"port": 0},
    "mqtt": {"port": 0, "plain_port": 0, "websocket_port": 0},
}
TEACHER = {"name": "teacher1", "password": PASSWORD, "roles": ["Teacher"]}


async def started(folder: Path) -> Gateway:
    gateway = Gateway(config.load(folder / "d", defaults=PORTS, environ={}))
    await gateway.start()
    return gateway


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    gateway = await started(tmp_path)
    yield gateway
    await gateway.stop()


def local(gateway: Gateway) -> httpx.AsyncClient:
    transport = httpx.AsyncHTTPTransport(uds=str(gateway.settings.socket))
    return httpx.AsyncClient(transport=transport, base_url=API, timeout=10)


async def come(gateway: Gateway, name: str, client_id: str) -> Client:
    client = await Client.open(gateway.plain_port)
    await client.connect(name, client_id=client_id, password=PASSWORD)
    return client


async def cli(gateway: Gateway, *words: str, code: int = 0) -> str:
    """A command in a process of its own."""
    environment = {**os.environ, "DOORWARD_PASSWORD": PASSWORD}
    command = ["broker", *words, "--data", str(gateway.settings.directory)]
    done = await asyncio.to_thread(forked.run, command, env=environment)
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


async def test_from_nothing_a_user_is_made_and_granted_and_connects(gateway: Gateway) -> None:
    """An empty directory, then the two commands of the old school project, on a connection that stays open."""
    await cli(gateway, "users", "add", "teacher1", "--role", "Teacher")
    teacher = await come(gateway, "teacher1", "pad")
    assert list(await teacher.subscribe("school/#")) == [mqtt.REFUSED]
    assert "may not publish" in await cli(
        gateway, "acl", "explain", "teacher1", "publish", "school/x"
    )
    told = await cli(gateway, "acl", "explain", "teacher1", "publish", "x" * 70_000, code=1)
    assert told == "doorward: that is too long for a question to the gateway; shorten it\n"
    told = await cli(gateway, "acl", "grant", "user:teacher1", "school/#")
    assert told == "from now on: allow user:teacher1 publish+subscribe school/#\n"
    assert list(await teacher.subscribe("school/#")) == [1]
    await teacher.publish("school/room1", b"welcome")
    assert [one.payload for one in await teacher.messages()] == [b"welcome"]
    await teacher.publish("home/x", b"refused")
    told = await cli(gateway, "logs", "--limit", "20", "--action", "PUBLISH", "--json")
    assert [one["topic"] for one in json.loads(told) if one["principal"] == "teacher1"] == [
        "school/room1"
    ]
    told = await cli(gateway, "logs", "--principal", "teacher1")
    assert re.search(r"DENIED +teacher1 +pad +home/x .*publish: not-granted", told)
    await cli(gateway, "acl", "revoke", "user:teacher1", "school/#")
    await teacher.publish("school/room1", b"refused")
    assert await teacher.messages() == []
    assert "no user" in await cli(gateway, "users", "remove", "nobody", code=1)
    await cli(gateway, "users", "remove", "teacher1")
    assert await teacher.is_closed()
    await teacher.drop()


async def test_a_change_over_the_api_acts_within_a_second(gateway: Gateway) -> None:
    async with local(gateway) as api:
        assert (await api.post("broker/users", json=TEACHER)).status_code == 201
        teacher = await come(gateway, "teacher1", "pad")
        rule = {"subject": "user:teacher1", "filter": "school/#"}
        for _ in range(3):
            begun = time.monotonic()
            assert (await api.post("broker/acl/grant", json=rule)).status_code == 200
            assert list(await teacher.subscribe("school/#")) == [1]
            await teacher.publish("school/x", b"x")
            assert len(await teacher.messages()) == 1
            assert (await api.post("broker/acl/revoke", json=rule)).status_code == 200
            await teacher.publish("school/x", b"x")
            assert await teacher.messages() == []
            assert time.monotonic() - begun < 2, "grant and revoke, a second each"
        await teacher.drop()


async def test_changes_are_in_the_audit_and_no_password_is_anywhere(
    gateway: Gateway, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with local(gateway) as api:
        await api.post("broker/users", json=TEACHER)
        await api.post("broker/acl/grant", json={"subject": "role:Teacher", "filter": "x"})
        await api.post("broker/users/teacher1/roles", json={"roles": ["Guest"]})
        await api.post("broker/users/teacher1/remove")
        rows = (await api.get("audit")).json()
        told = [(row["kind"], row["actor"]) for row in rows if row["kind"].startswith("broker.")]
        assert told == [(f"broker.{what}", "local") for what in ("user", "user", "rule", "user")]
        assert PASSWORD not in json.dumps((await api.get("broker/log")).json())
    await gateway.stop()
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert PASSWORD.encode() not in path.read_bytes(), path
    out, err = capfd.readouterr()
    assert PASSWORD not in out + err


async def test_users_and_rules_outlive_a_restart(tmp_path: Path) -> None:
    gateway = await started(tmp_path)
    async with local(gateway) as api:
        await api.post("broker/users", json=TEACHER)
        await api.post("broker/acl/grant", json={"subject": "user:teacher1", "filter": "school/#"})
    await gateway.stop()
    gateway = await started(tmp_path)
    teacher = await come(gateway, "teacher1", "pad")
    assert list(await teacher.subscribe("school/#")) == [1]
    await teacher.drop()
    await gateway.stop()


async def test_a_board_cannot_take_the_name_of_a_user(gateway: Gateway) -> None:
    async with local(gateway) as api:
        await api.post("broker/users", json=TEACHER)
        order = {"id": "Teacher1", "board": "door-esp32", "broker": "192.0.2.1:8883"}
        answer = await api.post("devices", json=order)
        assert answer.status_code == 409, answer.text
        assert "user" in answer.json()["error"]["message"]
        assert (await api.get("devices")).json() == []
        assert [one["name"] for one in (await api.get("broker/users")).json()] == ["teacher1"]


async def test_a_denied_publish_is_on_the_open_page_within_a_second(gateway: Gateway) -> None:
    async with (
        local(gateway) as api,
        Visitor(base_url=f"http://127.0.0.1:{gateway.web_port}") as page,
    ):
        await api.post("broker/users", json=TEACHER)
        await page.open("/setup")
        token = gateway.tokens.setup or ""
        await page.submit("/setup", token=token, username="ada", password=PASSWORD)
        text = (await page.open("/broker")).text
        position = re.search(r"after=([^&]+)&amp;", text)
        assert position is not None
        teacher = await come(gateway, "teacher1", "pad")
        async with (
            asyncio.timeout(10),
            page.stream("GET", "/broker/stream", params={"after": position[1]}) as stream,
        ):
            begun = time.monotonic()
            await teacher.publish("school/room1", b"not shown")
            told = ""
            async for part in stream.aiter_text():
                told += part
                if "publish: not-granted" in told:
                    break
            assert time.monotonic() - begun < 2, "a second is promised; a test machine may be busy"
        assert "teacher1 · pad" in told
        assert "<code>school/room1</code>" in told
        assert "subject=user:teacher1&amp;topic=school/room1&amp;about=publish#grant" in told
        assert "not shown" not in told
        await teacher.drop()
