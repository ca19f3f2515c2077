"""Who may do what: every route that the router knows declares it, and each role is tried at each of them."""

from typing import Any

import httpx
import pytest
from fakes.services import FRONT, FakeHouse
from fakes.serving import serving
from fakes.visitor import Visit, Visitor
from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount

from doorward.domain import permissions
from doorward.web import create_app
from doorward.web.permission import PUBLIC, SIGNED_IN, Needs

ANYBODY, THEMSELVES = "anybody", "themselves"
# Written by hand on purpose: a new route is a line here, thought about.
NEEDED = {
    "GET /ca": ANYBODY,
    "GET /ca.crt": ANYBODY,
    "GET /login": ANYBODY,
    "POST /login": ANYBODY,
    "GET /setup": ANYBODY,
    "POST /setup": ANYBODY,
    "GET /enter/{token}": ANYBODY,
    "POST /enter/{token}": ANYBODY,
    "GET /api/v1/openapi.json": ANYBODY,
    "POST /login/code": ANYBODY,
    "POST /logout": THEMSELVES,
    "GET /confirm": THEMSELVES,
    "POST /confirm": THEMSELVES,
    "GET /account": THEMSELVES,
    "POST /account/sessions/{session_id}/end": THEMSELVES,
    "POST /account/password": THEMSELVES,
    "GET /account/second-factor": THEMSELVES,
    "POST /account/second-factor": THEMSELVES,
    "POST /account/second-factor/drop": THEMSELVES,
    "POST /account/tokens": THEMSELVES,
    "POST /account/tokens/{token_id}/revoke": THEMSELVES,
    "GET /operators": "operators.edit",
    "POST /operators": "operators.edit",
    "POST /operators/role": "operators.edit",
    "POST /operators/unlock": "operators.edit",
    "GET /": "doors.see",
    "GET /stream": "doors.see",
    "GET /boards": "devices.see",
    "GET /boards/stream": "devices.see",
    "POST /boards/{device}/approve": "devices.edit",
    "POST /boards/{device}/revoke": "devices.edit",
    "POST /boards/{device}/test": "devices.edit",
    "POST /boards/{device}/heard": "devices.edit",
    "GET /boards/{device}/wiring.svg": "devices.see",
    "POST /boards/{device}/update": "devices.edit",
    "POST /boards/{device}/cancel": "devices.edit",
    "POST /boards/update": "devices.edit",
    "POST /boards/cancel": "devices.edit",
    "POST /doors/{door}/open": "doors.open",
    "GET /people": "people.see",
    "POST /people/codes": "people.edit",
    "POST /people/codes/revoke": "people.edit",
    "POST /vaults/{vault}/release": "doors.open",
    "POST /doors/{door}/end-wait": "doors.open",
    "POST /lights/{light}": "lights.set",
    "POST /site/key": "devices.edit",
    "POST /site/press": "devices.edit",
    "POST /site/motion": "devices.edit",
    "POST /site/tap": "devices.edit",
    "POST /site/contact": "devices.edit",
    "GET /api/v1/doors": "doors.see",
    "POST /api/v1/doors/{door}/open": "doors.open",
    "GET /api/v1/lights": "doors.see",
    "POST /api/v1/lights/{light}": "lights.set",
    "GET /api/v1/motion": "doors.see",
    "GET /api/v1/vaults": "doors.see",
    "POST /api/v1/vaults/{vault}/release": "doors.open",
    "POST /api/v1/doors/{door}/end-wait": "doors.open",
    "GET /api/v1/audit": "audit.see",
    "GET /api/v1/audit/verify": "audit.see",
    "GET /api/v1/audit/export": "audit.export",
    "GET /api/v1/why": "policy.ask",
    "POST /api/v1/why": "policy.ask",
    "GET /api/v1/people": "people.see",
    "POST /api/v1/people": "people.edit",
    "POST /api/v1/people/dates": "people.edit",
    "POST /api/v1/cards": "people.edit",
    "POST /api/v1/cards/revoke": "people.edit",
    "POST /api/v1/codes": "people.edit",
    "POST /api/v1/codes/revoke": "people.edit",
    "GET /api/v1/levels": "people.see",
    "GET /api/v1/holidays": "people.see",
    "POST /api/v1/holidays": "people.edit",
    "POST /api/v1/holidays/remove": "people.edit",
    "GET /api/v1/devices": "devices.see",
    "POST /api/v1/devices/{device}/approve": "devices.edit",
    "POST /api/v1/devices/{device}/revoke": "devices.edit",
    "POST /api/v1/devices/{device}/rekey": "devices.edit",
    "POST /api/v1/devices/{device}/selftest": "devices.edit",
    "POST /api/v1/devices/{device}/selftest/heard": "devices.edit",
    "GET /api/v1/devices/{device}/selftest": "devices.see",
    "GET /api/v1/firmware": "devices.see",
    "GET /api/v1/updates": "devices.see",
    "POST /api/v1/updates": "devices.edit",
    "POST /api/v1/updates/cancel": "devices.edit",
    "GET /api/v1/health": "system.see",
    "POST /api/v1/broker/mosquitto/sync": "mqtt.edit",
    "GET /api/v1/mqtt/status": "mqtt.see",
    "GET /api/v1/mqtt/monitoring/metrics": "mqtt.see",
    "GET /api/v1/mqtt/topics/structure": "mqtt.see",
    "GET /api/v1/mqtt/topics/device/{device_id}": "mqtt.see",
    "POST /api/v1/mqtt/topics/validate": "mqtt.see",
    "POST /api/v1/mqtt/publish": "mqtt.publish",
    "POST /api/v1/mqtt/subscribe": "mqtt.edit",
    "GET /metrics": "mqtt.see",
    "GET /api/v1/operators": "operators.edit",
    "POST /api/v1/operators": "operators.edit",
    "POST /api/v1/operators/{username}/password": "operators.edit",
    "POST /api/v1/operators/{username}/role": "operators.edit",
    "POST /api/v1/operators/{username}/unlock": "operators.edit",
    "POST /api/v1/operators/{username}/remove": "operators.edit",
    "GET /api/v1/roles": "operators.edit",
    "POST /api/v1/roles/{role}": "operators.edit",
    "GET /api/v1/tokens": "operators.edit",
    "POST /api/v1/tokens": "operators.edit",
    "POST /api/v1/tokens/{id}/revoke": "operators.edit",
    "GET /broker": "mqtt.see",
    "GET /broker/stream": "mqtt.see",
    "POST /broker/users": "mqtt.edit",
    "POST /broker/users/remove": "mqtt.edit",
    "POST /broker/rules": "mqtt.edit",
    "POST /broker/rules/revoke": "mqtt.edit",
    "GET /api/v1/broker/users": "mqtt.see",
    "POST /api/v1/broker/users": "mqtt.edit",
    "POST /api/v1/broker/users/check": "mqtt.edit",
    "POST /api/v1/broker/users/{name}/password": "mqtt.edit",
    "POST /api/v1/broker/users/{name}/roles": "mqtt.edit",
    "POST /api/v1/broker/users/{name}/remove": "mqtt.edit",
    "POST /api/v1/broker/users/{name}/certificate/revoke": "mqtt.edit",
    "GET /api/v1/broker/roles": "mqtt.see",
    "GET /api/v1/broker/acl": "mqtt.see",
    "POST /api/v1/broker/acl/grant": "mqtt.edit",
    "POST /api/v1/broker/acl/revoke": "mqtt.edit",
    "GET /api/v1/broker/acl/explain": "mqtt.see",
    "GET /api/v1/broker/figures": "mqtt.see",
    "GET /api/v1/broker/log": "mqtt.see",
    "GET /api/v1/broker/log/stream": "mqtt.see",
    "POST /api/v1/confirm": THEMSELVES,
    "GET /api/v1/site": "devices.see",
    "POST /api/v1/site/tap": "devices.edit",
    "POST /api/v1/site/key": "devices.edit",
    "POST /api/v1/site/press": "devices.edit",
    "POST /api/v1/site/motion": "devices.edit",
    "POST /api/v1/site/pull": "devices.edit",
    "GET /api/v1/site/faults": "devices.see",
    "POST /api/v1/site/fault": "devices.edit",
    "POST /api/v1/site/contact": "devices.edit",
}
ROLES = {
    "Admin": "audit.export audit.see devices.edit devices.see doors.open doors.see lights.set "
    "mqtt.edit mqtt.publish mqtt.see operators.edit people.edit people.see policy.ask system.see",
    "Teacher": "audit.see devices.see doors.open doors.see people.see policy.ask",
    "Student": "devices.see doors.see",
    "User": "doors.open doors.see",
    "Guest": "doors.see",
}
QUERIES = {
    "GET /api/v1/why": "?card=04a1b2c3&door=front",
    "GET /api/v1/broker/acl/explain": "?principal=front&action=publish&topic=x",
}


def declared(app: FastAPI) -> dict[str, list[str]]:
    """What each route of the router says that it needs."""
    found: dict[str, list[str]] = {}
    for route in iter_route_contexts(app.routes):
        if isinstance(route.original_route, Mount):
            continue
        for method in (route.methods or set()) - {"HEAD"}:
            found[f"{method} {route.path}"] = _needs(route)
    return found


def _needs(route: Any) -> list[str]:
    dependant = getattr(route, "dependant", None)
    if dependant is None:  # not one of ours: FastAPI's own description of the API
        return [ANYBODY] if route.path == "/api/v1/openapi.json" else []
    calls = [dependency.call for dependency in dependant.dependencies]
    words = {SIGNED_IN.dependency: THEMSELVES, PUBLIC.dependency: ANYBODY}
    return [
        call.permission if isinstance(call, Needs) else words[call]
        for call in calls
        if isinstance(call, Needs) or call in words
    ]


def undeclared(app: FastAPI) -> list[str]:
    return [route for route, told in declared(app).items() if len(told) != 1]


def test_every_route_declares_what_it_needs() -> None:
    app = create_app(FakeHouse(FRONT, demo=True).services)
    assert undeclared(app) == []
    assert {route: told[0] for route, told in declared(app).items()} == NEEDED


def test_a_route_that_declares_nothing_is_found() -> None:
    app = create_app(FakeHouse(FRONT, demo=True).services)
    forgotten = APIRouter()
    forgotten.add_api_route("/api/v1/forgotten", lambda: "open to all", methods=["POST"])
    app.include_router(forgotten)
    assert undeclared(app) == ["POST /api/v1/forgotten"]


def test_the_roles_that_ship() -> None:
    assert {name: " ".join(sorted(held)) for name, held in permissions.SHIPPED.items()} == ROLES


def test_a_permission_that_does_not_exist_cannot_be_needed() -> None:
    from doorward.web.permission import needs

    with pytest.raises(ValueError, match=r"doors\.opne"):
        needs("doors.opne")


async def _ask(visitor: Visitor, route: str) -> int:
    method, path = route.split()
    path = path.replace("{door}", "front").replace("{vault}", "front").replace(
        "{token}", "x"
    ).replace("{id}", "7") + QUERIES.get(route, "")
    headers = {"Origin": str(visitor.base_url).rstrip("/"), "X-CSRF-Token": visitor.csrf}
    # A body that no order is: whoever may pass is told 422, and nothing changes.
    content: dict[str, Any] = {} if method == "GET" else {"json": {}}
    async with visitor.stream(method, path, headers=headers, **content) as response:
        return response.status_code


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_may_do_what_it_holds_and_nothing_else(role: str) -> None:
    house = FakeHouse(FRONT, demo=True)
    async with serving(create_app(house.services)) as url, Visitor(base_url=url) as visitor:
        await visitor.log_in()
        house.auth.role = role
        answers = {}
        for route, needed in NEEDED.items():
            if needed not in (ANYBODY, THEMSELVES):
                answers[route] = await _ask(visitor, route)
        assert await _ask(visitor, "POST /logout") == 303
    wrong = {
        route: status
        for route, status in answers.items()
        if (status == 403) != (NEEDED[route] not in ROLES[role].split()) or status in (401, 500)
    }
    assert wrong == {}
    assert len(answers) >= 18


async def test_no_permission_at_all_is_refused_everywhere(house: FakeHouse, visit: Visit) -> None:
    visitor = await visit(house)
    await visitor.log_in()
    house.auth.permissions = frozenset()
    for route, needed in NEEDED.items():
        if needed not in (ANYBODY, THEMSELVES):
            assert await _ask(visitor, route) == 403, route
    assert house.history.entries == []


async def test_a_refusal_says_what_is_missing(operator: Visitor, house: FakeHouse) -> None:
    house.auth.role = "Guest"
    refused = await operator.get("/api/v1/people")
    assert refused.json()["error"]["code"] == "not_permitted"
    assert "people.see" in refused.json()["error"]["message"]
    page = await operator.submit("/doors/front/open")
    assert page.status_code == 403
    assert "That is not yours to do" in page.text


async def test_a_guest_sees_doors_and_not_who_passed(operator: Visitor, house: FakeHouse) -> None:
    await house.site.tap("front", "member")  # type: ignore[union-attr]  # a demo has one
    await house.doors.open("front", "admin")
    for role, sees in (("Admin", True), ("Guest", False)):
        house.auth.role = role
        page = (await operator.get("/")).text
        [door] = (await operator.get("/api/v1/doors")).json()
        assert FRONT.name in page
        for told in ("Maya Okafor", 'id="events"', 'action="/doors/front/open"', "/site/tap"):
            assert (told in page) is sees, told
        assert (door["last"] is not None) is sees
        assert (door["release"] is not None) is sees


async def test_the_local_socket_may_do_everything(house: FakeHouse, visit: Visit) -> None:
    program = await visit(house, local=True)
    for path in ("doors", "audit", "people", "levels", "health"):
        response: httpx.Response = await program.get(f"/api/v1/{path}")
        assert response.status_code == 200
