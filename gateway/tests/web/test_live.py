from dataclasses import replace

import pytest
from fakes.services import FRONT, FakeHouse
from fakes.visitor import Visit, Visitor

from doorward.errors import Unavailable

EVIL = '<img src=x onerror="alert(1)">\r\ndata: <script>alert(2)</script>'


async def test_the_page_shows_doors_and_events(operator: Visitor, house: FakeHouse) -> None:
    await house.site.tap("front", "member")  # type: ignore[union-attr]  # a demo has one
    page = (await operator.get("/")).text
    assert 'data-state="unlocked"' in page
    assert "Maya Okafor may pass here at any time." in page
    assert "d5e6" in page
    assert "Virtual site" in page


async def test_a_house_without_a_site_has_nothing_to_tap(visit: Visit) -> None:
    visitor = await visit(FakeHouse(FRONT))
    await visitor.log_in()
    assert "/site/tap" not in (await visitor.get("/")).text
    assert (await visitor.submit("/site/tap", door="front", card="member")).status_code == 404


async def test_the_doors_are_shown_when_the_virtual_boards_are_gone(
    operator: Visitor, house: FakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone() -> None:
        raise Unavailable("the virtual boards are not there", "start the demo again")

    monkeypatch.setattr(house.site, "boards", gone)
    page = await operator.get("/")
    assert page.status_code == 200
    assert FRONT.name in page.text
    assert "No virtual board is running" in page.text


async def test_an_empty_house_says_what_to_do(visit: Visit) -> None:
    visitor = await visit(FakeHouse())
    await visitor.log_in()
    page = (await visitor.get("/")).text
    assert page.count("No doors yet") == 1
    assert "doorward device adopt NAME" in page
    assert "Flash a board" not in page
    assert "Nothing has happened yet" in page


async def test_names_are_text_and_nothing_else(visit: Visit) -> None:
    house = FakeHouse(replace(FRONT, name=EVIL), demo=True)
    house.record(
        kind="access.decision",
        person=EVIL,
        granted=False,
        why=EVIL,
        door_id="front",
        door_name=EVIL,
    )
    visitor = await visit(house)
    await visitor.log_in()
    page = (await visitor.get("/")).text
    assert "<img" not in page
    assert "<script>" not in page
    assert "&lt;img src=x" in page


async def test_the_open_button_asks_the_board(operator: Visitor, house: FakeHouse) -> None:
    response = await operator.submit("/doors/front/open")
    assert response.headers["location"] == "/"
    release = house.doors.get("front").release
    assert release is not None
    assert (release.state, release.actor) == ("unknown", "admin")
    assert 'data-release="unknown"' in (await operator.get("/")).text


async def test_with_script_the_stream_alone_tells_how_it_went(operator: Visitor) -> None:
    operator.headers["HX-Request"] = "true"
    response = await operator.submit("/doors/front/open")
    assert (response.status_code, response.text) == (204, "")


async def test_an_offline_door_is_not_asked(operator: Visitor, house: FakeHouse) -> None:
    house.set_door("front", online=False)
    operator.headers["HX-Request"] = "true"
    response = await operator.submit("/doors/front/open")
    assert response.status_code == 503
    assert "Front door is offline" in response.text
    assert 'id="open-front"' in response.text
    del operator.headers["HX-Request"]
    response = await operator.submit("/doors/front/open")
    assert "Not available right now" in response.text


async def test_what_is_not_there_is_a_page_of_ours(operator: Visitor) -> None:
    response = await operator.get("/nothing")
    assert response.status_code == 404
    assert "Back to the doors" in response.text
    assert (await operator.submit("/doors/cellar/open")).status_code == 404


async def test_the_site_taps_and_moves_the_leaf(operator: Visitor, house: FakeHouse) -> None:
    await operator.submit("/site/tap", door="front", card="stranger")
    assert house.site is not None
    assert house.site.taps == [("front", "stranger")]
    await operator.submit("/site/contact", door="front", open="true")
    assert house.doors.get("front").contact == "open"
    operator.headers["HX-Request"] = "true"
    response = await operator.submit("/site/tap", door="front", card="joker")
    assert response.status_code == 404
    assert 'role="alert"' in response.text


async def test_every_answer_carries_the_security_headers(operator: Visitor) -> None:
    for path in ("/", "/login", "/nothing", "/api/v1/doors", "/static/live.js"):
        headers = (await operator.get(path)).headers
        assert headers["content-security-policy"].startswith("default-src 'self';")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
    assert (await operator.get("/")).headers["cache-control"] == "no-store"


async def test_no_page_has_inline_script_or_style(operator: Visitor, visit: Visit) -> None:
    new = await visit(FakeHouse(FRONT, new=True))
    pages = [await operator.get("/"), await new.get("/setup"), await operator.get("/enter/x")]
    for page in pages:
        assert "<style" not in page.text
        assert " style=" not in page.text
        assert "<script>" not in page.text
        assert " onclick=" not in page.text


async def test_a_file_with_its_version_may_be_kept_for_ever(operator: Visitor) -> None:
    assert "immutable" in (await operator.get("/static/live.js?v=1")).headers["cache-control"]
    assert (await operator.get("/static/live.js")).headers["cache-control"] == "no-cache"


async def test_a_body_beyond_reason_is_refused(operator: Visitor) -> None:
    response = await operator.submit("/site/tap", door="x" * 100_000, card="member")
    assert response.status_code == 413
