"""Every change that the router knows is tried from outside: a new route cannot be forgotten here."""

import pytest
from fakes.services import FRONT, FakeHouse
from fakes.visitor import ORIGIN, Visit, Visitor
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
    token = operator.cookies["doorward_0_form"] if path.startswith(PUBLIC) else operator.csrf
    before = len(house.history.entries), dict(house.auth.sessions)
    for headers in (
        {"Origin": ORIGIN},
        {"Origin": ORIGIN, "X-CSRF-Token": "x" * 32},
        {"X-CSRF-Token": token},
        {"X-CSRF-Token": token, "Origin": "http://evil.test"},
        {"X-CSRF-Token": token, "Origin": "null"},
    ):
        response = await operator.request(method, _filled(path), headers=headers)
        assert response.status_code == 403, headers
    assert (len(house.history.entries), dict(house.auth.sessions)) == before


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
