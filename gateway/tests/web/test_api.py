import httpx
import pytest
from fakes.services import FRONT, FakeHouse
from fakes.visitor import Visit, Visitor

READS = [
    "doors",
    "audit",
    "people",
    "levels",
    "holidays",
    "health",
    "why?card=04a1b2c3&door=front",
    "site",
]


@pytest.fixture
async def program(house: FakeHouse, visit: Visit) -> Visitor:
    """Somebody on the local socket."""
    return await visit(house, local=True)


@pytest.mark.parametrize("path", READS)
async def test_reading_needs_a_session_on_tcp_and_none_on_the_local_socket(
    path: str, house: FakeHouse, visit: Visit, program: Visitor
) -> None:
    stranger = await visit(house)
    refused = await stranger.get(f"/api/v1/{path}")
    assert refused.status_code == 401
    assert refused.json()["error"]["code"] == "not_signed_in"
    await stranger.log_in()
    assert (await stranger.get(f"/api/v1/{path}")).status_code == 200
    assert (await program.get(f"/api/v1/{path}")).status_code == 200


async def test_the_local_socket_serves_no_pages(program: Visitor) -> None:
    assert (await program.get("/login")).status_code == 404
    assert (await program.get("/")).status_code == 404


async def test_doors_are_told_with_state_and_release(program: Visitor, house: FakeHouse) -> None:
    response = await program.post("/api/v1/doors/Front door/open")
    assert response.status_code == 202
    assert response.json()["state"] == "unknown"
    assert response.json()["actor"] == "local"
    [door] = (await program.get("/api/v1/doors")).json()
    assert (door["id"], door["locked"], door["contact"]) == ("front", True, "closed")
    assert door["release"]["state"] == "unknown"


async def test_an_operator_acts_under_their_own_name(operator: Visitor, house: FakeHouse) -> None:
    assert (await operator.order("/api/v1/people", name="Ada")).status_code == 201
    assert house.people.actors == ["admin"]


async def test_people_and_cards(program: Visitor) -> None:
    response = await program.post("/api/v1/people", json={"name": "Ada", "levels": ["Members"]})
    assert response.json()["levels"] == ["Members"]
    uid = "04:A1:B2:C3:D4:E5:F6"
    card = (await program.post("/api/v1/cards", json={"uid": uid, "person": "Ada"})).json()
    assert (card["tail"], card["revoked"]) == ("e5f6", False)
    assert "a1b2" not in str(card).lower()
    card = (await program.post("/api/v1/cards/revoke", json={"uid": uid})).json()
    assert card["revoked"] is True


async def test_the_audit_is_newest_first_and_can_be_paged(
    program: Visitor, house: FakeHouse
) -> None:
    for _ in range(5):
        house.record(kind="door.open", door_id="front", door_name="Front door")
    page = (await program.get("/api/v1/audit?limit=2&door=front")).json()
    assert [row["id"] for row in page] == [5, 4]
    page = (await program.get("/api/v1/audit?limit=2&before=4")).json()
    assert [row["id"] for row in page] == [3, 2]


async def test_why_names_the_rule(program: Visitor) -> None:
    told = (await program.get("/api/v1/why?card=04a1b2c3&door=front")).json()
    assert (told["verdict"], told["rule_name"]) == ("deny", "unknown-credential")
    assert told["steps"][0]["passed"] is False


async def test_why_takes_a_card_by_its_name_on_the_site_or_by_its_holder(
    program: Visitor, visit: Visit
) -> None:
    async def tail(query: str) -> str:
        return str((await program.get(f"/api/v1/why?door=front&{query}")).json()["card_tail"])

    assert await tail("card=evening") == "91aa"
    assert await tail("person=Jonas Weber") == "0000"
    assert await tail("person=Jonas Weber&card=aaaa") == "aaaa"
    assert _error(await program.get("/api/v1/why?door=front")) == (422, "invalid", "card")
    real = await visit(FakeHouse(FRONT), local=True)
    refused = await real.get("/api/v1/why?door=front&card=evening")
    assert _error(refused) == (422, "invalid", "card")


async def test_the_site_is_there_in_the_demo_only(
    program: Visitor, visit: Visit, house: FakeHouse
) -> None:
    site = (await program.get("/api/v1/site")).json()
    assert {card["key"] for card in site["cards"]} >= {"member", "stranger"}
    order = {"door": "front", "card": "member"}
    assert (await program.post("/api/v1/site/tap", json=order)).status_code == 204
    order = {"door": "front", "open": True}
    assert (await program.post("/api/v1/site/contact", json=order)).status_code == 204
    assert house.doors.get("front").contact == "open"
    real = await visit(FakeHouse(FRONT), local=True)
    assert (await real.get("/api/v1/site")).status_code == 404


def _error(response: httpx.Response) -> tuple[int, str, str | None]:
    error = response.json()["error"]
    assert set(error) == {"code", "message", "field"}
    assert "\n" not in error["message"]
    return response.status_code, error["code"], error["field"]


async def test_a_holiday_is_added_listed_and_removed(program: Visitor, house: FakeHouse) -> None:
    path = "/api/v1/holidays"
    order = {"name": "Christmas", "first": "2026-12-25", "last": "2026-12-26", "yearly": True}
    added = await program.post(path, json=order)
    assert (added.status_code, added.json()) == (201, {**order, "next": "2026-12-25"})
    assert (await program.get(path)).json() == [added.json()]
    wrong = {"name": "x", "first": "25.12.2026"}
    assert _error(await program.post(path, json=wrong)) == (422, "invalid", "first")
    assert _error(await program.post(path, json=order)) == (409, "conflict", "name")
    assert (await program.post(f"{path}/remove", json={"name": "Christmas"})).status_code == 200
    assert (await program.get(path)).json() == []
    assert _error(await program.post(f"{path}/remove", json={"name": "x"}))[0] == 404
    assert house.holidays.actors == ["local", "local"]


async def test_errors_have_one_shape(program: Visitor, house: FakeHouse) -> None:
    post, get = program.post, program.get
    people = "/api/v1/people"
    assert _error(await post(people, json={"name": "Maya Okafor"})) == (409, "conflict", "name")
    assert _error(await post(people, json={"nome": "Ada"})) == (422, "invalid", "name")
    assert _error(await post(people, json={"name": "Ada", "x": 1})) == (422, "invalid", "x")
    assert _error(await post(people, content=b"{"))[:2] == (422, "invalid")
    assert (await post(people, json={"name": "x" * 300})).status_code == 201  # the desk's to judge
    cards = "/api/v1/cards"
    assert _error(await post(cards, json={"uid": "04a1", "person": "Maya Okafor"})) == (
        422,
        "invalid",
        "uid",
    )
    assert _error(await post(cards, json={"uid": "04a1b2c3", "person": "X"})) == (
        404,
        "not_found",
        "person",
    )
    assert _error(await get("/api/v1/audit?limit=0")) == (422, "invalid", "limit")
    assert _error(await get("/api/v1/why?card=zz&door=front")) == (422, "invalid", "card")
    assert _error(await get("/api/v1/nothing"))[:2] == (404, "not_found")
    assert _error(await program.delete(people))[:2] == (405, "method_not_allowed")
    house.set_door("front", online=False)
    assert _error(await post("/api/v1/doors/front/open"))[:2] == (503, "unavailable")


async def test_a_bug_is_our_fault_and_tells_nothing_of_the_inside(
    program: Visitor, house: FakeHouse
) -> None:
    house.doors.views["bad"] = object()  # type: ignore[assignment]  # what no answer can be made of
    response = await program.get("/api/v1/doors")
    assert _error(response)[:2] == (500, "internal")
    assert "object" not in response.text


async def test_the_description_is_served(program: Visitor) -> None:
    told = (await program.get("/api/v1/openapi.json")).json()
    assert "/api/v1/doors/{door}/open" in told["paths"]
    # Prometheus looks for its figures at one place everywhere.
    assert all(path.startswith("/api/v1/") for path in told["paths"].keys() - {"/metrics"})
    answers = told["paths"]["/api/v1/people"]["post"]["responses"]
    assert answers["422"]["content"]["application/json"]["schema"]["$ref"].endswith("ErrorAnswer")
