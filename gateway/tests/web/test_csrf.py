"""Every change that the router knows is tried from outside: a new route cannot be forgotten here."""

import httpx
import pytest
from fakes.services import FRONT, FakeHouse
from fakes.visitor import ORIGIN, Visit, Visitor
from fastapi import APIRouter
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount

from doorward.web import create_app

SAFE = {"GET", "HEAD", "OPTIONS"}
PUBLIC = (
    "/login",
    "/setup",
    "/enter",
)  # nobody is signed in there yet: the form's own token counts


def _changes() -> list[tuple[str, str]]:
    app = create_app(FakeHouse(FRONT, demo=True).services)
    return sorted(
        (method, route.path)
        for route in iter_route_contexts(app.routes)
        if not isinstance(route.original_route, Mount)
        for method in (route.methods or set()) - SAFE
    )


CHANGES = _changes()


def _filled(path: str) -> str:
    return path.replace("{door}", "front").replace("{token}", "link").replace("{id}", "7")


def test_the_list_is_not_empty() -> None:
    paths = [path for _, path in CHANGES]
    assert "/doors/{door}/open" in paths
    assert "/login" in paths
    assert "/api/v1/people" in paths
    assert len(paths) >= 11


@pytest.mark.parametrize(("method", "path"), CHANGES)
async def test_a_change_from_elsewhere_is_refused(
    method: str, path: str, operator: Visitor, house: FakeHouse
) -> None:
    before = len(house.history.entries), dict(house.auth.sessions)
    assert await _let_through(operator, method, path) == []
    assert (len(house.history.entries), dict(house.auth.sessions)) == before


async def _let_through(operator: Visitor, method: str, path: str) -> list[dict[str, str]]:
    """The requests from elsewhere, by their headers, that were not refused for where they come from."""
    token = _token(operator, path)
    let = []
    for headers in (
        {"Origin": ORIGIN},
        {"Origin": ORIGIN, "X-CSRF-Token": "x" * 32},
        {"X-CSRF-Token": token},
        {"X-CSRF-Token": token, "Origin": "http://evil.test"},
        {"X-CSRF-Token": token, "Origin": "null"},
    ):
        response = await operator.request(method, _filled(path), headers=headers)
        if not _refused(response):
            let.append(headers)
    return let


def _token(operator: Visitor, path: str) -> str:
    return operator.cookies["doorward_0_form"] if path.startswith(PUBLIC) else operator.csrf


def _refused(response: httpx.Response) -> bool:
    told = "That did not come from here" in response.text or '"forbidden"' in response.text
    return response.status_code == 403 and told


@pytest.mark.parametrize(("method", "path"), CHANGES)
async def test_the_same_change_from_a_page_of_ours_is_not(
    method: str, path: str, operator: Visitor
) -> None:
    headers = {"X-CSRF-Token": _token(operator, path), "Origin": ORIGIN}
    response = await operator.request(method, _filled(path), headers=headers)
    assert not _refused(response)
    assert response.status_code != 403


async def test_a_change_that_nobody_guards_is_found(house: FakeHouse) -> None:
    app = create_app(house.services)
    forgotten = APIRouter()
    forgotten.add_api_route("/api/v1/forgotten", lambda: "done", methods=["POST"])
    app.include_router(forgotten)
    transport = httpx.ASGITransport(app=app)
    async with Visitor(transport=transport, base_url=ORIGIN) as operator:
        await operator.log_in()
        assert len(await _let_through(operator, "POST", "/api/v1/forgotten")) == 5
        assert await _let_through(operator, "POST", "/api/v1/people") == []


@pytest.mark.parametrize(("method", "path"), [c for c in CHANGES if not c[1].startswith(PUBLIC)])
async def test_a_change_without_a_session_is_refused(
    method: str, path: str, house: FakeHouse, visit: Visit
) -> None:
    stranger = await visit(house)
    await stranger.open("/login")
    headers = {"Origin": ORIGIN, "X-CSRF-Token": stranger.csrf}
    response = await stranger.request(method, _filled(path), headers=headers)
    assert response.status_code == (401 if path.startswith("/api/") else 303)
    assert not house.history.entries


async def test_a_token_of_another_session_does_not_help(
    operator: Visitor, house: FakeHouse, visit: Visit
) -> None:
    other = await visit(house)
    await other.log_in()
    operator.csrf = other.csrf
    assert (await operator.submit("/doors/front/open")).status_code == 403
