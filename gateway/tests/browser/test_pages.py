"""The pages in a real browser, over services in memory: every state can be had at will."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from browser_kit import DESK, IN_ONE_LOOP, PHONE, NewPage, sign_in
from fakes.services import FRONT, ONE_TIME, PASSWORD, SETUP_TOKEN, FakeHouse
from fakes.serving import serving

from doorward.app.views.access import DoorView
from doorward.app.views.boards import BoardView, SelfTest
from doorward.domain.diagnosis import Finding
from doorward.web import create_app

pytestmark = IN_ONE_LOOP

EVIL = "<img src=x onerror=\"alert('x')\">"
ALL_STATES = (
    FRONT,
    DoorView("lab", "Laser lab", online=True, locked=True, contact="open", alarm="held"),
    DoorView("main", "Main entrance", online=True, locked=False, contact="closed"),
    DoorView("store", "Store room", online=False, locked=True, contact="closed"),
    DoorView("side", EVIL, online=True),
    DoorView("roof", "Roof hatch", online=True, locked=True, contact="open", alarm="forced"),
    DoorView("yard", "Yard", online=True, locked=True, contact="open"),
)


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_is_accessible_and_fits(
    size: tuple[int, int], scheme: str, new_page: NewPage
) -> None:
    house = FakeHouse(*ALL_STATES)
    for person, granted in ((EVIL, True), ("Ana Ruiz", False), (None, False)):
        house.record(
            kind="access.decision", door_id="front", door_name="Front door", person=person,
            card_tail="D5E6", granted=granted, why="This is why.", source="board",
        )  # fmt: skip
    for kind in ("door.open", "door.held", "door.forced", "release.requested", "tamper"):
        house.record(kind=kind, door_id="lab", door_name="Laser lab", why="So it is.")
    await house.doors.open("front", "admin")
    tab = await new_page(size=size, scheme=scheme, still=True)
    async with serving(create_app(house.services)) as url:
        await sign_in(tab, url)
        await tab.page.set_viewport_size({"width": size[0], "height": size[1]})
        assert await tab.page.evaluate("document.documentElement.scrollWidth") <= size[0]
        await tab.settle()
        await tab.picture(f"states-{scheme}-{size[0]}")
        assert await tab.violations() == []
        await tab.page.locator(".menu summary").click()
        assert await tab.violations() == []
        tab.complaints = [c for c in tab.complaints if "ERR_INCOMPLETE" not in c]


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_boards_are_accessible_and_fit(
    size: tuple[int, int], scheme: str, new_page: NewPage
) -> None:
    house = FakeHouse(FRONT)
    for number, state in enumerate(("waiting", "approved", "revoked", "announced")):
        view = BoardView(
            f"{state}-{number}" * 2, EVIL, state, door_name=EVIL, firmware=EVIL,
            heard_at=datetime.now(UTC), rejected=number, certificate=bool(number),
        )  # fmt: skip
        house.devices.boards[view.id] = view
    wrong = Finding("rex.pressed", EVIL * 3, "free it", ("rex.pin",))
    unsure = Finding("lock.unmoved", "The door stayed shut", "say whether the relay clicked")
    now = datetime.now(UTC)
    over = SelfTest("cmd_1", "front", "sam", "done", now, {"lock": {}}, (wrong, unsure))
    house.selftests.tell(over)
    tab = await new_page(size=size, scheme=scheme, still=True)
    async with serving(create_app(house.services)) as url:
        await sign_in(tab, url)
        await tab.page.get_by_role("link", name="Boards").click()
        await tab.live()
        assert await tab.page.evaluate("document.documentElement.scrollWidth") <= size[0]
        for summary in await tab.page.locator(".board-revoke summary").all():
            await summary.click()
        await tab.settle()
        await tab.picture(f"boards-{scheme}-{size[0]}")
        assert await tab.violations() == []
        (drawn,) = await tab.page.locator("main img").all()
        await drawn.scroll_into_view_if_needed()
        await tab.page.wait_for_function("document.querySelector('main img').naturalWidth > 0")
        tab.complaints = [c for c in tab.complaints if "ERR_INCOMPLETE" not in c]


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_people_are_accessible_and_fit(
    size: tuple[int, int], scheme: str, new_page: NewPage
) -> None:
    house = FakeHouse(replace(FRONT, codes_until=datetime.now(UTC) + timedelta(hours=2)))
    for name, levels in ((EVIL * 2, ("Members", EVIL)), ("Ana Ruiz", ())):
        await house.people.add(name, levels, actor="admin")
    await house.people.add_code("Ana Ruiz", "471108", actor="admin")
    tab = await new_page(size=size, scheme=scheme, still=True)
    async with serving(create_app(house.services)) as url:
        await sign_in(tab, url)
        assert await tab.page.get_by_role("button", name="Let codes be typed again").is_visible()
        assert await tab.violations() == []
        await tab.page.goto(f"{url}/people")
        for summary in await tab.page.locator(".person-code summary").all():
            await summary.click()
        await tab.page.locator("#person-1-make button").click()
        await tab.page.get_by_text("it is not shown again").wait_for()
        await tab.settle()
        assert await tab.page.evaluate("document.documentElement.scrollWidth") <= size[0]
        await tab.picture(f"people-{scheme}-{size[0]}")
        assert await tab.violations() == []
        tab.complaints = [c for c in tab.complaints if "ERR_INCOMPLETE" not in c]


async def test_a_code_is_given_on_the_page_and_taken_away(new_page: NewPage) -> None:
    house = FakeHouse(FRONT)
    tab = await new_page()
    page = tab.page
    async with serving(create_app(house.services)) as url:
        await sign_in(tab, url)
        await page.get_by_role("link", name="People").click()
        row = page.locator("#person-1")
        await row.locator("summary").click()
        await row.get_by_label("Code", exact=False).first.fill("471108")
        await row.get_by_label("Once more").fill("471107")
        await row.get_by_role("button", name="Give this code").click()
        await row.get_by_text("The two are not the same").wait_for()
        assert house.people.cards == {}
        await row.get_by_label("Code", exact=False).first.fill("471108")
        await row.get_by_label("Once more").fill("471108")
        await row.get_by_role("button", name="Give this code").click()
        await row.get_by_text("The code holds from now on.").wait_for()
        assert [card.person for card in house.people.cards.values()] == ["Maya Okafor"]
        assert "471108" not in await page.content()
        assert page.url == f"{url}/people"
        await row.locator("summary").click()
        await row.get_by_role("button", name="for good").click()
        await row.get_by_text("No keypad takes their codes any more.").wait_for()
        assert [card.revoked for card in house.people.cards.values()] == [True]
        tab.complaints = [c for c in tab.complaints if "422" not in c]


async def test_a_board_is_named_on_its_page_and_then_shut_out(new_page: NewPage) -> None:
    house = FakeHouse(FRONT)
    tab = await new_page()
    page = tab.page
    async with serving(create_app(house.services)) as url:
        await sign_in(tab, url)
        await page.goto(f"{url}/boards")
        await tab.live()
        side = page.locator("#board-side")
        await side.get_by_label("Door").fill("Side door")
        house.devices.change("front", "door.open", online=False)
        await page.locator("#board-front").get_by_text("Offline").wait_for()
        assert await side.get_by_label("Door").input_value() == "Side door", "left alone"
        await side.get_by_role("button", name="Let it keep this door").click()
        await side.get_by_text("Side door", exact=True).wait_for()
        assert house.devices.boards["side"].state == "approved"
        await side.locator("summary").click()
        await side.get_by_role("button", name="Shut side out for good").click()
        await side.get_by_text("Shut out").first.wait_for()
        assert house.devices.boards["side"].state == "revoked"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_account_pages_are_accessible(scheme: str, url: str, new_page: NewPage) -> None:
    tab = await new_page(scheme=scheme, size=PHONE)
    async with serving(create_app(FakeHouse(new=True).services)) as fresh:
        for name, path in (
            ("setup", f"{fresh}/setup"),
            ("login", f"{url}/login"),
            ("enter", f"{url}/enter/{ONE_TIME}"),
        ):
            await tab.page.goto(path)
            await tab.picture(f"{name}-{scheme}", full=False)
            assert await tab.violations() == []


async def test_a_house_without_doors_teaches(new_page: NewPage) -> None:
    tab = await new_page()
    async with serving(create_app(FakeHouse().services)) as url:
        await sign_in(tab, url)
        await tab.picture("empty-light-1280")
        assert await tab.page.get_by_text("No doors yet").first.is_visible()
        assert await tab.page.get_by_text("Nothing has happened yet").is_visible()
        assert await tab.violations() == []


async def test_setup_login_and_logout(new_page: NewPage) -> None:
    tab = await new_page()
    page = tab.page
    async with serving(create_app(FakeHouse(FRONT, new=True).services)) as url:
        await page.goto(url)
        await page.wait_for_url("**/setup")
        await page.get_by_label("Setup token").fill(SETUP_TOKEN)
        await page.get_by_label("User name").fill("ada")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Make the operator").click()
        await tab.live()
        await page.locator(".menu summary").click()
        await page.get_by_role("button", name="Log out").click()
        await page.wait_for_url("**/login")
        await page.goto(url)
        await page.wait_for_url("**/login")


async def test_a_wrong_password_is_told_in_place(url: str, new_page: NewPage) -> None:
    tab = await new_page()
    await tab.page.goto(f"{url}/login")
    await tab.page.get_by_label("User name").fill("admin")
    await tab.page.get_by_label("Password").fill("guess")
    await tab.page.get_by_role("button", name="Sign in").click()
    await tab.page.get_by_role("alert").wait_for()
    assert await tab.violations() == []
    await tab.picture("login-wrong", full=False)
    tab.complaints = [
        text for text in tab.complaints if "401" not in text
    ]  # the browser notes the status
