"""The broker's users, rules and log over the API."""

import asyncio
import json

import httpx
import pytest
from fakes.services import FRONT, FakeHouse
from fakes.serving import serving
from fakes.visitor import Visit, Visitor

from doorward.web import create_app

API = "/api/v1/broker/"
PASSWORD = "correct horse battery"
TEACHER = {"name": "teacher1", "password": PASSWORD, "roles": ["teacher"]}
SCHOOL = {"subject": "user:teacher1", "filter": "school/#"}


@pytest.fixture
async def local(house: FakeHouse, visit: Visit) -> Visitor:
    """Whoever may open the local socket."""
    return await visit(house, local=True)


async def test_users_come_change_and_go(local: Visitor) -> None:
    made = await local.post(API + "users", json=TEACHER)
    assert (made.status_code, made.json()) == (
        201,
        {
            "name": "teacher1",
            "roles": ["Teacher"],
            "connections": 0,
            "needs_password": False,
            "certificate": None,
        },
    )
    assert (await local.get(API + "users")).json() == [{**made.json(), "certificate": ""}]
    again = await local.post(API + "users", json=TEACHER)
    assert again.status_code == 409
    changed = await local.post(API + "users/teacher1/roles", json={"roles": ["Guest", "User"]})
    assert changed.json()["roles"] == ["Guest", "User"]
    assert (
        await local.post(API + "users/teacher1/password", json={"password": "another password"})
    ).status_code == 200
    assert (await local.post(API + "users/teacher1/remove")).status_code == 204
    gone = await local.post(API + "users/teacher1/remove")
    assert gone.status_code == 404
    assert "broker users list" in gone.json()["error"]["message"]


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"name": "a/b"}, 422, "name"),
        ({"name": "front"}, 409, "name"),
        ({"password": "short"}, 422, "password"),
        ({"roles": ["Techer"]}, 404, "roles"),
        ({"rolse": []}, 422, "rolse"),
    ],
)
async def test_what_cannot_be_names_its_field(
    local: Visitor, change: dict[str, object], status: int, field: str
) -> None:
    answer = await local.post(API + "users", json=TEACHER | change)
    assert answer.status_code == status
    assert answer.json()["error"]["field"] == field
    assert PASSWORD not in answer.text
    assert (await local.get(API + "users")).json() == []


async def test_rules_are_granted_widened_and_revoked_in_parts(local: Visitor) -> None:
    await local.post(API + "users", json=TEACHER)
    first = await local.post(API + "acl/grant", json=SCHOOL | {"action": "publish"})
    assert first.json() == {
        "rule": SCHOOL | {"action": "publish", "effect": "allow", "built_in": False},
        "warnings": [],
    }
    wider = await local.post(API + "acl/grant", json=SCHOOL | {"action": "subscribe"})
    assert wider.json()["rule"]["action"] == "both"
    part = await local.post(API + "acl/revoke", json=SCHOOL | {"action": "publish"})
    assert part.json()["action"] == "publish"
    rules = (await local.get(API + "acl")).json()
    mine = [rule for rule in rules if rule["subject"] == "user:teacher1"]
    assert [rule["action"] for rule in mine] == ["subscribe"]
    assert (await local.post(API + "acl/revoke", json=SCHOOL)).status_code == 200
    assert (await local.post(API + "acl/revoke", json=SCHOOL)).status_code == 404


@pytest.mark.parametrize(
    "text", ["doorward/#", "#", "+/x", "$SYS/broker/#", "vault/control", "iot/+/motion", "door/#"]
)
async def test_a_grant_into_what_boards_or_the_broker_use_warns(local: Visitor, text: str) -> None:
    order = {"subject": "role:Teacher", "filter": text}
    (warning,) = (await local.post(API + "acl/grant", json=order)).json()["warnings"]
    assert "boards or the broker itself" in warning
    denied = await local.post(API + "acl/grant", json=order | {"effect": "deny"})
    assert denied.json()["warnings"] == []


async def test_what_is_built_in_cannot_be_revoked(local: Visitor) -> None:
    rules = (await local.get(API + "acl")).json()
    built_in = [rule for rule in rules if rule["built_in"]]
    subjects = {rule["subject"] for rule in built_in}
    assert subjects == {"api", "device", "gateway", "users", "waiting"}
    for rule in built_in:
        order = {name: rule[name] for name in ("subject", "filter", "action", "effect")}
        assert (await local.post(API + "acl/revoke", json=order)).status_code in (404, 422)
    assert [rule for rule in (await local.get(API + "acl")).json() if rule["built_in"]] == built_in


async def test_a_role_that_nobody_has_is_told_of(local: Visitor) -> None:
    order = {"subject": "role:Techer", "filter": "school/#"}
    (warning,) = (await local.post(API + "acl/grant", json=order)).json()["warnings"]
    assert "Techer is new" in warning
    assert "Techer" in (await local.get(API + "roles")).json()


async def test_explain_names_the_rule_that_decides(local: Visitor) -> None:
    """Counterfactual: without that rule the answer is another."""
    await local.post(API + "users", json=TEACHER)
    await local.post(API + "acl/grant", json=SCHOOL)
    await local.post(
        API + "acl/grant", json=SCHOOL | {"filter": "school/exams/#", "effect": "deny"}
    )

    async def ask(principal: str, action: str, topic: str) -> tuple[bool, str | None]:
        query = {"principal": principal, "action": action, "topic": topic}
        told = (await local.get(API + "acl/explain", params=query)).json()
        rule = told["rule"]
        return told["allowed"], rule and f"{rule['effect']} {rule['subject']} {rule['filter']}"

    assert await ask("teacher1", "publish", "school/x") == (True, "allow user:teacher1 school/#")
    denied = (False, "deny user:teacher1 school/exams/#")
    assert await ask("teacher1", "publish", "school/exams/1") == denied
    assert await ask("teacher1", "subscribe", "school/#") == denied
    assert await ask("teacher1", "publish", "home") == (False, None)
    assert await ask("teacher1", "publish", "users/teacher1/x") == (
        True,
        "allow role:Teacher users/%u/#",
    )
    control = "doorward/devices/front/commands/control"
    assert await ask("front", "subscribe", control) == (
        True,
        "allow device doorward/devices/%u/commands/control",
    )
    assert await ask("front", "publish", control) == (False, None)
    await local.post(
        API + "acl/revoke", json=SCHOOL | {"filter": "school/exams/#", "effect": "deny"}
    )
    assert await ask("teacher1", "subscribe", "school/#") == (True, "allow user:teacher1 school/#")
    for query in (
        {"principal": "nobody", "action": "publish", "topic": "x"},
        {"principal": "front", "action": "publish", "topic": "x/#"},
    ):
        assert (await local.get(API + "acl/explain", params=query)).status_code in (404, 422)


async def test_the_log_is_listed_by_what_it_is_about(local: Visitor, house: FakeHouse) -> None:
    log = house.broker.log
    for number in range(30):
        log.note_always("PUBLISH", "sam", "pad", f"t/{number}", qos=1, size=3)
    log.note_always("DENIED", "tess", "tess", "x", detail="publish: not-granted", more=7)
    newest = (await local.get(API + "log", params={"limit": 2})).json()
    assert [one["action"] for one in newest] == ["DENIED", "PUBLISH"]
    assert newest[0]["more"] == 7
    found = (await local.get(API + "log", params={"principal": "sam", "limit": 500})).json()
    assert [one["topic"] for one in found] == [f"t/{number}" for number in range(29, -1, -1)]
    before = {"before": found[10]["number"], "limit": 3}
    assert [one["topic"] for one in (await local.get(API + "log", params=before)).json()] == [
        "t/18",
        "t/17",
        "t/16",
    ]
    bad = await local.get(API + "log", params={"action": "PUBLSH"})
    assert bad.status_code == 422
    assert "PUBLISH" in bad.json()["error"]["message"]


async def test_a_follower_that_comes_back_has_no_gap_and_nothing_twice(house: FakeHouse) -> None:
    """Mutant: the stream begins at now whatever `after` says."""
    log = house.broker.log
    app = create_app(house.services, local=True)
    seen: list[int] = []

    async def follow(url: str, until: int, after: int) -> None:
        async with (
            asyncio.timeout(5),
            httpx.AsyncClient(base_url=url) as client,
            client.stream("GET", API + "log/stream", params={"after": after}) as stream,
        ):
            async for line in stream.aiter_lines():
                if line.startswith("data: "):
                    seen.append(json.loads(line[6:])["number"])
                    if seen[-1] == until:
                        return

    async with serving(app) as url:
        log.note_always("CONNECT", "sam")
        for _ in range(3):
            for _ in range(700):  # more than a feed keeps
                log.note_always("PUBLISH", "sam", topic="t")
            following = asyncio.ensure_future(follow(url, log.number + 50, seen[-1] if seen else 0))
            await asyncio.sleep(0.05)
            for _ in range(50):
                log.note_always("PUBLISH", "sam", topic="t")
            await following
    assert seen == list(range(1, log.number + 1))


async def test_a_stream_ends_with_the_right_to_see_it(house: FakeHouse) -> None:
    from fakes.visitor import Visitor as Browser  # noqa: F401 - its cookie rules

    app = create_app(FakeHouse(FRONT).services, local=False)
    async with serving(app) as url, httpx.AsyncClient(base_url=url) as client:
        assert (await client.get(API + "log/stream")).status_code == 401
