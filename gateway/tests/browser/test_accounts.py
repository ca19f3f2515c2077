"""Accounts, operators and the question for a password in a real browser, and hostile names on every page there is."""

from dataclasses import replace

import pyotp
import pytest
from browser_kit import DESK, IN_ONE_LOOP, PHONE, NewPage, sign_in
from fakes.services import FRONT, PASSWORD, FakeHouse
from fakes.serving import serving
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount

from doorward.web import create_app

pytestmark = IN_ONE_LOOP

EVIL = "<img src=x onerror=\"alert('x')\">"
NOT_PAGES = ("/api/", "/ca", "/metrics")


async def real(*, evil: bool = False) -> FakeHouse:
    """A house with a real operator `admin`, and others who make a page of it."""
    name = EVIL if evil else "Front door"
    house = FakeHouse(replace(FRONT, name=name), demo=evil)
    desk = house.desk
    await desk.auth.setup("setup-token", "admin", PASSWORD, "10.0.0.7", EVIL if evil else "curl/8")
    house.services = replace(house.services, auth=desk.auth)
    await desk.operators.add(EVIL if evil else "tess", PASSWORD, "Teacher", actor="admin")
    scopes = ["doors.see", "audit.see"]
    await desk.tokens.add("admin", EVIL if evil else "Wall display", scopes, 90, actor="admin")
    return house


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_pages_are_accessible_and_fit(
    size: tuple[int, int], scheme: str, new_page: NewPage
) -> None:
    house = await real()
    tab = await new_page(size=size, scheme=scheme, still=True)
    async with serving(create_app(house.services)) as url:
        await sign_in(tab, url)
        for fresh in (True, False):
            for path in ("/account", "/account/second-factor", "/operators", "/confirm"):
                if not fresh and path == "/account/second-factor":
                    continue
                await tab.page.goto(url + path)
                await tab.settle()
                name = path.strip("/").replace("/", "-") + ("" if fresh else "-asks")
                await tab.picture(f"{name}-{scheme}-{size[0]}")
                width = await tab.page.evaluate("document.documentElement.scrollWidth")
                assert width <= size[0], path
                assert await tab.violations() == [], path
            house.desk.clock.advance(600)


async def test_a_second_factor_is_set_up_and_asked_for(new_page: NewPage) -> None:
    house = await real()
    tab = await new_page(size=PHONE)
    page = tab.page
    async with serving(create_app(house.services)) as url:
        await sign_in(tab, url)
        await page.goto(f"{url}/account")
        await page.get_by_role("link", name="Set it up").click()
        generator = pyotp.TOTP(await page.locator("code.secret").inner_text())
        await page.get_by_label("The code that it shows").fill(generator.at(house.desk.clock.now()))
        await page.get_by_role("button", name="Use it from now on").click()
        assert await page.locator(".codes li").count() == 10
        await tab.picture("recovery-codes")
        assert await tab.violations() == []
        await page.get_by_role("link", name="I have kept them").click()
        house.desk.clock.advance(60)
        await page.context.clear_cookies()
        await page.goto(f"{url}/login")
        await page.get_by_label("User name").fill("admin")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_label("Code").fill(generator.at(house.desk.clock.now()))
        await tab.picture("login-code")
        assert await tab.violations() == []
        await page.get_by_role("button", name="Sign in").click()
        await tab.live()


async def test_the_open_button_asks_for_the_password_then_opens(new_page: NewPage) -> None:
    house = await real()
    tab = await new_page(size=PHONE)
    page = tab.page
    async with serving(create_app(house.services)) as url:
        await sign_in(tab, url)
        house.desk.clock.advance(600)
        await page.get_by_role("button", name="Open Front door").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Password or code").fill("guess")
        await tab.settle()
        await tab.picture("confirm-dialog", full=False)
        assert await tab.violations() == []
        await dialog.get_by_role("button", name="Confirm", exact=True).click()
        await dialog.get_by_text("That is not your password").wait_for()
        assert house.history.entries == []
        # Somebody thinks better of it: nothing opens, and the button can be pressed again.
        await dialog.get_by_role("button", name="Not now").click()
        await dialog.wait_for(state="hidden")
        await page.get_by_role("button", name="Open Front door").click()
        await dialog.get_by_label("Password or code").fill(PASSWORD)
        await dialog.get_by_role("button", name="Confirm", exact=True).click()
        await page.get_by_text("Waiting for the door’s own word").wait_for()
        assert await dialog.count() == 0
        assert [entry.kind for entry in house.history.entries] == ["release.requested"]
    tab.complaints = [c for c in tab.complaints if "403" not in c and "401" not in c]
    tab.complaints = [c for c in tab.complaints if "ERR_INCOMPLETE" not in c]


def pages(house: FakeHouse) -> list[str]:
    """Every page that the router knows, with something in place of what it asks for."""
    return sorted(
        route.path.replace("{token}", "none")
        for route in iter_route_contexts(create_app(house.services).routes)
        if not isinstance(route.original_route, Mount)
        and route.path
        and "GET" in (route.methods or ())
        and not route.path.startswith(NOT_PAGES)
        and not route.path.endswith(("/stream", ".svg"))
    )


async def test_hostile_names_run_nothing_on_any_page(new_page: NewPage) -> None:
    house = await real(evil=True)
    for kind in ("access.decision", "tamper", "login", EVIL):
        house.record(
            kind=kind, door_id="front", door_name=EVIL, person=EVIL, actor=EVIL, note=EVIL,
            why=EVIL, granted=False, card_tail="D5E6",
        )  # fmt: skip
    tab = await new_page()
    async with serving(create_app(house.services)) as url:
        await sign_in(tab, url)
        paths = pages(house)
        assert {"/", "/account", "/operators", "/confirm"} <= set(paths)
        shown = 0
        for path in paths:
            assert "{" not in path, f"{path}: say what to put there"
            await tab.page.goto(f"{url}{path}?next={EVIL}&after={EVIL}")
            shown += EVIL in await tab.page.inner_text("body")
            assert await tab.page.locator("img").count() == 0, path
        assert shown >= 3  # the names are there, as text
        await tab.page.goto(url)
        await tab.live()
        house.record(kind="door.forced", door_id="front", door_name=EVIL, why=f"Pushed {EVIL}")
        await tab.page.get_by_text("Pushed").wait_for()
        assert await tab.page.locator("img").count() == 0
    tab.complaints = [c for c in tab.complaints if "ERR_INCOMPLETE" not in c]
