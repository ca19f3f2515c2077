"""MQTT over HTTP: for each path what it gives, and how it refuses."""

import asyncio
import base64
import json
from typing import Any

import httpx
import pytest
from fakes.services import PASSWORD, FakeHouse
from fakes.visitor import Visit, Visitor

from doorward.app.views.mqtt import MqttMessage
from doorward.domain import permissions
from doorward.web.stream import Streams

API = "/api/v1/mqtt"
PATHS = [
    ("GET", "/status", None, permissions.MQTT_SEE),
    ("POST", "/publish", {"topic": "school/bell", "payload": "x"}, permissions.MQTT_PUBLISH),
    ("POST", "/subscribe", {"topic": "school/#", "seconds": 0.01}, permissions.MQTT_EDIT),
    ("GET", "/topics/structure", None, permissions.MQTT_SEE),
    ("POST", "/topics/validate", {"topic": "school/bell"}, permissions.MQTT_SEE),
    ("GET", "/topics/device/front", None, permissions.MQTT_SEE),
    ("GET", "/monitoring/metrics", None, permissions.MQTT_SEE),
]


@pytest.fixture
async def program(house: FakeHouse, visit: Visit) -> Visitor:
    return await visit(house, local=True)


async def token_of(house: FakeHouse, *scopes: str) -> dict[str, str]:
    """What a program sends that was given these permissions."""
    desk = house.desk
    if not desk.operators.list():
        await desk.operators.add("maria", PASSWORD, permissions.ADMIN, actor="test")
    text, _ = await desk.tokens.add("maria", f"tool {scopes}"[:32], scopes, 1, actor="test")
    return {"Authorization": f"Bearer {text}"}


def streams_of(visitor: Visitor) -> Streams:
    """The open streams of the application that somebody visits."""
    found: Streams = visitor._transport.app.state.streams  # type: ignore[attr-defined]  # httpx has no other way there
    return found


def refusal(response: httpx.Response) -> tuple[int, str]:
    """Status and code of an error in the API's own shape."""
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "field"}
    assert "\n" not in body["error"]["message"]
    return response.status_code, body["error"]["code"]


@pytest.mark.parametrize(("method", "path", "body", "permission"), PATHS)
async def test_a_path_answers_who_may_and_nobody_else(
    method: str,
    path: str,
    body: Any,
    permission: str,
    house: FakeHouse,
    visit: Visit,
    program: Visitor,
) -> None:
    stranger = await visit(house)
    told = await stranger.request(method, API + path, json=body)
    assert refusal(told) == (401, "not_signed_in")
    without = await token_of(house, *(permissions.ALL - {permission}))
    told = await stranger.request(method, API + path, json=body, headers=without)
    assert refusal(told) == (403, "not_permitted")
    allowed = await token_of(house, permission)
    assert (await stranger.request(method, API + path, json=body, headers=allowed)).is_success
    assert (await program.request(method, API + path, json=body)).is_success


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/publish", {}, "topic"),
        ("/publish", {"topic": "a", "qos": 3}, "qos"),
        ("/publish", {"topic": "a", "colour": 1}, "colour"),
        ("/publish", {"topic": "a", "payload_base64": "!"}, None),
        ("/publish", {"topic": "a", "payload": "x", "payload_base64": "eA=="}, None),
        ("/publish", {"topic": "a", "payload": "\ud800"}, None),
        ("/publish", {"topic": "\ud800"}, "topic"),
        ("/publish", {"topic": "a/#"}, "topic"),
        ("/publish", {"topic": ""}, "topic"),
        ("/subscribe", {}, "topics"),
        ("/subscribe", {"topic": "a#"}, "topics"),
        ("/subscribe", {"topics": ["a"] * 33}, "topics"),
        ("/subscribe", {"topic": "a", "seconds": 0}, "seconds"),
        ("/subscribe", {"topic": "a", "count": 0}, "count"),
        ("/topics/validate", {}, "topic"),
        ("/topics/validate", {"topic": "a", "use": "guess"}, "use"),
    ],
)
async def test_bad_input_is_400_and_names_the_field(
    path: str, body: dict[str, Any], field: str | None, program: Visitor
) -> None:
    told = await program.post(
        API + path, content=json.dumps(body), headers={"Content-Type": "application/json"}
    )
    assert refusal(told) == (400, "invalid")
    assert told.json()["error"]["field"] == field


async def test_what_is_not_there_is_404(program: Visitor) -> None:
    assert refusal(await program.get(f"{API}/topics/device/back")) == (404, "not_found")
    assert refusal(await program.get(f"{API}/nothing")) == (404, "not_found")


@pytest.mark.parametrize(
    "topic",
    [
        "doorward/devices/front/commands/control",
        "doorward/devices/front/commands/config",
        "doorward/devices/front/commands/firmware",
        "doorward/devices/front/commands/whatever/is/next",
        "doorward/devices/front/access/response",
        "doorward/devices/front/time/response",
        "doorward/devices/front/telemetry/ack",
        "doorward/devices/front/config",
        "doorward/discovery/response/front",
        "doorward/fleet/commands/all",
    ],
)
async def test_what_a_lock_obeys_is_not_for_sale(
    topic: str, program: Visitor, house: FakeHouse
) -> None:
    told = await program.post(f"{API}/publish", json={"topic": topic, "payload": "unlock"})
    assert refusal(told) == (403, "not_permitted")
    assert "commands go through" in told.json()["error"]["message"]
    assert house.traffic.said == []


@pytest.mark.parametrize("payload", ["", "{}"])
@pytest.mark.parametrize("leaf", ["status/online", "status/offline", "status/reported"])
async def test_what_a_board_retains_is_its_own_word(
    leaf: str, payload: str, program: Visitor, house: FakeHouse
) -> None:
    """An empty one would take away that it is there; one without retain is gone when it was heard."""
    order = {"topic": f"doorward/devices/front/{leaf}", "payload": payload}
    told = await program.post(f"{API}/publish", json=order | {"retain": True})
    assert refusal(told) == (403, "not_permitted")
    assert told.json()["error"]["field"] == "topic"
    assert house.traffic.said == []
    assert (await program.post(f"{API}/publish", json=order)).is_success


async def test_what_the_broker_refuses_is_403_with_its_rule(
    program: Visitor, house: FakeHouse
) -> None:
    told = await program.post(f"{API}/publish", json={"topic": "$SYS/broker/version"})
    assert refusal(told) == (403, "not_permitted")
    assert "deny users publish $SYS/#" in told.json()["error"]["message"]
    told = await program.post(f"{API}/subscribe", json={"topic": "secret/#"})
    assert refusal(told) == (403, "not_permitted")
    assert house.traffic.said == []


async def test_a_message_goes_out_as_it_was_given(program: Visitor, house: FakeHouse) -> None:
    order = {"topic": "school/bell", "payload": "ring", "qos": 1, "retain": True}
    told = (await program.post(f"{API}/publish", json=order)).json()
    assert told == {"topic": "school/bell", "qos": 1, "retain": True, "bytes": 4}
    raw = {"topic": "school/raw", "payload_base64": base64.b64encode(b"\xff\0").decode()}
    assert (await program.post(f"{API}/publish", json=raw)).is_success
    assert house.traffic.said == [
        MqttMessage("school/bell", b"ring", 1, True),
        MqttMessage("school/raw", b"\xff\0", 0, False),
    ]


async def test_listening_ends_after_so_many_messages_or_seconds(
    program: Visitor, house: FakeHouse
) -> None:
    order = {"topics": ["school/#", "home/+"], "count": 2, "seconds": 60}
    listening = asyncio.create_task(program.post(f"{API}/subscribe", json=order))
    await _until_somebody_listens(house)
    for topic in ("home/a/b", "school/bell", "home/a"):
        house.traffic.say(MqttMessage(topic, b"\xff" if topic == "home/a" else b"x", 1, False))
    told = (await listening).json()
    assert told["ended"] == "count"
    assert [(m["topic"], m["payload"]) for m in told["messages"]] == [
        ("school/bell", "x"),
        ("home/a", None),
    ]
    assert base64.b64decode(told["messages"][1]["payload_base64"]) == b"\xff"
    listening = asyncio.create_task(
        program.post(f"{API}/subscribe", json={"topic": "a", "count": 5000, "seconds": 60})
    )
    await _until_somebody_listens(house)
    for _ in range(1001):
        house.traffic.say(MqttMessage("a", b"x", 1, False))
    assert len((await listening).json()["messages"]) == 1000, "one answer has an end"
    told = (await program.post(f"{API}/subscribe", json={"topic": "a", "seconds": 0.05})).json()
    assert told == {"messages": [], "ended": "seconds"}
    assert house.traffic.talking == []


async def test_lines_come_one_by_one_and_end_with_the_right_to_them(
    house: FakeHouse, visit: Visit
) -> None:
    """httpx's transport collects a whole answer: what is looked at is that it ends, and what was in it."""
    tool = await visit(house)
    right = await token_of(house, permissions.MQTT_EDIT)
    headers = {**right, "Accept": "application/jsonl"}
    listening = asyncio.create_task(
        tool.post(f"{API}/subscribe", json={"topic": "#"}, headers=headers)
    )
    await _until_somebody_listens(house)
    house.traffic.say(MqttMessage("a", b"1", 0, False))
    async with asyncio.timeout(10):
        while not house.traffic.talking[0].told_all:  # noqa: ASYNC110 - a fake has no event
            await asyncio.sleep(0.005)
    [known] = house.desk.tokens.list()
    await house.desk.tokens.revoke(known.id, actor="test")
    async with asyncio.timeout(10):
        told = await listening
    assert told.headers["content-type"] == "application/jsonl"
    lines = [json.loads(line) for line in told.text.splitlines() if line]
    assert [line["topic"] for line in lines] == ["a"]
    assert house.traffic.talking == []


async def test_a_stopping_server_ends_listeners(house: FakeHouse, visit: Visit) -> None:
    program = await visit(house, local=True)
    listening = asyncio.create_task(
        program.post(
            f"{API}/subscribe", json={"topic": "#"}, headers={"Accept": "application/jsonl"}
        )
    )
    await _until_somebody_listens(house)
    streams_of(program).close()
    async with asyncio.timeout(10):
        await listening


async def test_only_so_many_listen_at_once(house: FakeHouse, visit: Visit) -> None:
    program = await visit(house, local=True)
    order = {"topic": "#", "seconds": 30}
    many = [asyncio.create_task(program.post(f"{API}/subscribe", json=order)) for _ in range(16)]
    await _until_somebody_listens(house, 16)
    assert refusal(await program.post(f"{API}/subscribe", json=order)) == (503, "unavailable")
    for task in many:
        task.cancel()
    await asyncio.gather(*many, return_exceptions=True)


async def test_a_broker_that_goes_away_is_told(house: FakeHouse, program: Visitor) -> None:
    order = {"topic": "#", "seconds": 30}
    listening = asyncio.create_task(program.post(f"{API}/subscribe", json=order))
    await _until_somebody_listens(house)
    house.traffic.talking[0].hear(None)
    async with asyncio.timeout(10):
        assert refusal(await listening) == (503, "unavailable")


async def test_prometheus_shows_a_token(house: FakeHouse, visit: Visit, program: Visitor) -> None:
    stranger = await visit(house)
    assert refusal(await stranger.get("/metrics")) == (401, "not_signed_in")
    wrong = await token_of(house, permissions.DOORS_SEE)
    assert refusal(await stranger.get("/metrics", headers=wrong)) == (403, "not_permitted")
    right = await token_of(house, permissions.MQTT_SEE)
    told = await stranger.get("/metrics", headers=right)
    assert told.text == "doorward_broker_connections 2.0\n"
    assert told.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert (await program.get("/metrics")).is_success


async def _until_somebody_listens(house: FakeHouse, count: int = 1) -> None:
    async with asyncio.timeout(10):
        while sum(bool(one._filters) for one in house.traffic.talking) < count:  # noqa: ASYNC110 - a fake has no event
            await asyncio.sleep(0.005)
