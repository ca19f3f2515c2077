"""Operators, roles and tokens over the API, with the application's own use cases behind it."""

from typing import Any

import pytest
from fakes.services import PASSWORD, FakeHouse
from fakes.visitor import Visit, Visitor

from doorward.web.session import api_token

API = "/api/v1/"


@pytest.fixture
async def program(house: FakeHouse, visit: Visit) -> Visitor:
    """Somebody on the local socket."""
    return await visit(house, local=True)


async def made(program: Visitor, **more: object) -> str:
    """A token of tess, a Teacher."""
    order = {"username": "tess", "password": PASSWORD, "role": "Teacher"}
    assert (await program.post(API + "operators", json=order)).status_code == 201
    order = {"owner": "tess", "name": "cron", "scopes": ["doors.see"], **more}  # type: ignore[dict-item]
    answer = await program.post(API + "tokens", json=order)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"])


async def test_operators_are_added_changed_and_removed(program: Visitor) -> None:
    await made(program)
    [tess] = (await program.get(API + "operators")).json()
    assert tess == {"username": "tess", "role": "Teacher", "second_factor": False, "locked": False}
    role = await program.post(API + "operators/TESS/role", json={"role": "guest"})
    assert role.json()["role"] == "Guest"
    order = {"password": PASSWORD * 2}
    assert (await program.post(API + "operators/tess/password", json=order)).status_code == 200
    assert (await program.post(API + "operators/tess/unlock")).status_code == 200
    assert (await program.post(API + "operators/eve/unlock")).status_code == 404
    assert (await program.post(API + "operators/tess/remove")).status_code == 204
    assert (await program.get(API + "operators")).json() == []
    assert (await program.get(API + "tokens")).json() == []


async def test_roles_are_told_and_edited(program: Visitor) -> None:
    roles = (await program.get(API + "roles")).json()
    assert [role["name"] for role in roles] == ["Admin", "Guest", "Student", "Teacher", "User"]
    answer = await program.post(API + "roles/guest", json={"permissions": ["policy.ask"]})
    assert answer.json() == {"name": "Guest", "permissions": ["policy.ask"]}
    for held, status in ((["doors.opne"], 422), (["x" * 200], 422)):
        answer = await program.post(API + "roles/Guest", json={"permissions": held})
        assert answer.status_code == status


async def test_a_token_opens_what_it_is_for_and_nothing_else(
    program: Visitor, house: FakeHouse, visit: Visit
) -> None:
    client = await visit(house)
    client.headers["Authorization"] = f"Bearer {await made(program)}"
    assert (await client.get(API + "doors")).status_code == 200
    for method, path in (("GET", "people"), ("GET", "operators"), ("POST", "doors/front/open")):
        refused = await client.request(method, API + path)
        assert refused.status_code == 403
        assert refused.json()["error"]["code"] == "not_permitted"
    assert (await client.get("/")).status_code == 303  # pages are for people
    assert house.history.entries == []


async def test_a_token_needs_no_origin_and_no_csrf_token(
    program: Visitor, house: FakeHouse, visit: Visit
) -> None:
    text = await made(program, scopes=["doors.open"], unattended=True)
    client = await visit(house)
    answer = await client.post(
        API + "doors/front/open", headers={"Authorization": f"bearer {text}"}
    )
    assert answer.status_code == 202
    assert answer.json()["actor"] == "tess (cron)"


async def test_a_token_that_was_not_made_so_opens_nothing_unattended(
    program: Visitor, house: FakeHouse, visit: Visit
) -> None:
    text = await made(program, scopes=["doors.open"])
    client = await visit(house)
    answer = await client.post(
        API + "doors/front/open", headers={"Authorization": f"Bearer {text}"}
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "fresh_login_needed")
    assert house.history.entries == []


@pytest.mark.parametrize("told", ["", "Bearer", "Bearer ", "Bearer dw_x", "Basic YTpi", "Bearer é"])
async def test_a_bad_token_is_no_door_to_the_cookie_beside_it(
    told: str, operator: Visitor, house: FakeHouse
) -> None:
    headers: dict[str, Any] = {"Authorization": told.encode()}
    assert (await operator.get(API + "doors")).status_code == 200
    assert (await operator.get(API + "doors", headers=headers)).status_code == 401
    # Nor does the header take the guard of forms away.
    headers["Origin"] = b"http://evil.test"
    assert (await operator.post(API + "doors/front/open", headers=headers)).status_code == 401
    assert (await operator.post("/doors/front/open", headers=headers)).status_code == 403
    assert house.history.entries == []


async def test_a_token_in_the_address_is_not_looked_at(
    program: Visitor, house: FakeHouse, visit: Visit
) -> None:
    text = await made(program)
    client = await visit(house)
    for query in (f"?token={text}", f"?access_token={text}", f"?authorization=Bearer {text}"):
        assert (await client.get(API + "doors" + query)).status_code == 401
    assert api_token.__doc__


async def test_a_revoked_token_is_refused_at_once(
    program: Visitor, house: FakeHouse, visit: Visit
) -> None:
    client = await visit(house)
    client.headers["Authorization"] = f"Bearer {await made(program)}"
    assert (await client.get(API + "doors")).status_code == 200
    [token] = (await program.get(API + "tokens")).json()
    assert token["used_at"] is not None
    assert (await program.post(f"{API}tokens/{token['id']}/revoke")).status_code == 200
    assert (await client.get(API + "doors")).status_code == 401
    assert (await program.post(f"{API}tokens/{token['id']}/revoke")).status_code == 404
    assert (await program.post(f"{API}tokens/{2**70}/revoke")).status_code == 422


async def test_releasing_a_door_asks_for_a_fresh_login(operator: Visitor, house: FakeHouse) -> None:
    house.auth.fresh = False
    answer = await operator.order(API + "doors/front/open")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "fresh_login_needed")
    assert house.history.entries == []
    assert (await operator.order(API + "confirm", proof="guess")).status_code == 401
    assert (await operator.order(API + "doors/front/open")).status_code == 403
    assert (await operator.order(API + "confirm", proof=PASSWORD)).status_code == 204
    assert (await operator.order(API + "doors/front/open")).status_code == 202


async def test_changing_operators_asks_for_a_fresh_login(
    operator: Visitor, house: FakeHouse
) -> None:
    house.auth.fresh = False
    order = {"username": "eve", "password": PASSWORD, "role": "Admin"}
    for path, body in (
        ("operators", order),
        ("operators/tess/password", {"password": PASSWORD}),
        ("roles/Guest", {"permissions": []}),
        ("tokens", {"owner": "admin", "name": "x", "scopes": ["doors.see"]}),
    ):
        answer = await operator.order(API + path, **body)
        assert answer.json()["error"]["code"] == "fresh_login_needed"
    assert house.desk.operators.list() == ()


async def test_the_local_socket_has_no_session_to_confirm(program: Visitor) -> None:
    assert (await program.post(API + "confirm", json={"proof": "x"})).status_code == 401


async def test_unattended_is_about_doors_and_changes_no_operator(
    program: Visitor, house: FakeHouse, visit: Visit
) -> None:
    order = {"username": "ann", "password": PASSWORD, "role": "Admin"}
    assert (await program.post(API + "operators", json=order)).status_code == 201
    order = {
        "owner": "ann",
        "name": "cron",
        "scopes": ["doors.open", "operators.edit"],
        "unattended": True,
        "days": 30,
    }
    text = (await program.post(API + "tokens", json=order)).json()["token"]
    client = await visit(house)
    client.headers["Authorization"] = f"Bearer {text}"
    eve = {"username": "eve", "password": PASSWORD, "role": "Admin"}
    for path, body in (
        ("operators", eve),
        ("roles/Guest", {"permissions": ["doors.open"]}),
        ("tokens", order),
    ):
        refused = await client.post(API + path, json=body)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "fresh_login_needed")
    assert (await client.post(API + "doors/front/open")).status_code == 202
