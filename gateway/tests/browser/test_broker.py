"""The page of the broker in a real browser: accessible, live, and a denial that is one press from its rule."""

import asyncio
import time

import pytest
from browser_kit import DESK, IN_ONE_LOOP, PHONE, NewPage, Tab, sign_in
from fakes.services import FRONT, PASSWORD, FakeHouse
from fakes.serving import serving

from doorward.web import create_app

pytestmark = IN_ONE_LOOP

EVIL = "<img src=x onerror=\"alert('x')\">"


async def _enter(tab: Tab, url: str) -> None:
    await sign_in(tab, url)
    await tab.page.goto(f"{url}/broker")
    await tab.live()


async def _peopled() -> FakeHouse:
    house = FakeHouse(FRONT)
    desk = house.services.broker
    assert desk is not None
    for name, role in (("sam", "Student"), ("teacher1", "Teacher")):
        await desk.add_user(name, PASSWORD, [role], actor="admin")
    log = house.broker.log
    log.note_always("CONNECT", "sam", "pad", detail="from 192.0.2.7:50123")
    log.note_always("SUBSCRIBE", "sam", "pad", "school/notices/#", qos=1)
    log.note_always(
        "PUBLISH", "front", "front", "doorward/devices/front/status/heartbeat", qos=0, size=118
    )
    log.note_always("PUBLISH", "front", more=1234)
    log.note_always("PUBLISH", "sam", "pad", "x/" + "verylong" * 30 + EVIL, qos=2, size=3)
    log.note_always("REFUSED", "", detail="wrong user name or secret, from 198.51.100.9:1")
    log.note_always("DENIED", "sam", "pad", "school/room1/lesson", detail="publish: not-granted")
    return house


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_is_accessible_and_fits(
    size: tuple[int, int], scheme: str, new_page: NewPage
) -> None:
    tab = await new_page(size=size, scheme=scheme, still=True)
    async with serving(create_app((await _peopled()).services)) as url:
        await _enter(tab, url)
        await tab.page.set_viewport_size({"width": size[0], "height": size[1]})
        await tab.page.get_by_text("more are built in").click()
        await tab.settle()
        assert await tab.page.evaluate("document.documentElement.scrollWidth") <= size[0]
        for name in ("Revoke", "Remove"):
            found = tab.page.get_by_role("button", name=name).first
            box = await found.bounding_box()
            assert box is not None
            assert box["x"] + box["width"] <= size[0], "what can be done is not beside the screen"
        rules = tab.page.get_by_label("Rules that are built in")
        assert await rules.evaluate("its => its.scrollWidth <= its.clientWidth"), (
            "a rule is cut off"
        )
        await tab.picture(f"broker-{scheme}-{size[0]}")
        assert await tab.violations() == []
        tab.complaints = [c for c in tab.complaints if "ERR_INCOMPLETE" not in c]


async def test_a_publish_is_on_an_open_page_within_half_a_second(new_page: NewPage) -> None:
    house = await _peopled()
    tab = await new_page(still=True)
    async with serving(create_app(house.services)) as url:
        await _enter(tab, url)
        begun = time.monotonic()
        house.broker.log.note_always("PUBLISH", "sam", "pad", "school/live", qos=1, size=5)
        await tab.page.get_by_text("school/live").wait_for()
        assert time.monotonic() - begun < 2  # a busy machine; the bench tells the figure
        tab.complaints = [c for c in tab.complaints if "ERR_INCOMPLETE" not in c]


async def test_what_happened_while_the_stream_was_gone_is_there_in_order(new_page: NewPage) -> None:
    house = await _peopled()
    tab = await new_page(still=True)
    app = create_app(house.services)
    async with serving(app) as url:
        await _enter(tab, url)
        port = int(url.rpartition(":")[2])
    house.broker.log.note_always("PUBLISH", "sam", "pad", "gap/1")
    async with serving(app_again := create_app(house.services), port) as url:
        assert app_again is not app
        house.broker.log.note_always("PUBLISH", "sam", "pad", "gap/2")
        await tab.live()
        await tab.page.get_by_text("gap/2").wait_for()
        house.broker.log.note_always("PUBLISH", "sam", "pad", "gap/3")
        await tab.page.get_by_text("gap/3").wait_for()
        lines = await tab.page.locator("#events code").all_inner_texts()
        assert lines[:3] == ["gap/3", "gap/2", "gap/1"]
        tab.complaints.clear()  # of the connection that was cut on purpose


async def test_a_denial_shows_at_once_and_its_link_fills_the_form(new_page: NewPage) -> None:
    house = await _peopled()
    tab = await new_page(still=True)
    async with serving(create_app(house.services)) as url:
        await _enter(tab, url)
        house.broker.log.note_always(
            "DENIED", "teacher1", "pad", "school/new", detail="subscribe: not-granted"
        )
        line = tab.page.locator("#events .event", has_text="school/new")
        await line.get_by_role("link", name="Grant").click()
        await tab.live()
        form = tab.page.locator("#grant")
        assert await form.get_by_label("For").input_value() == "user:teacher1"
        assert await form.get_by_label("Topics").input_value() == "school/new"
        assert await form.get_by_label("May").input_value() == "subscribe"
        await form.get_by_role("button", name="Save the rule").click()
        await tab.page.locator("#rules code", has_text="school/new").wait_for()
        await tab.live()
        await asyncio.sleep(0)
        tab.complaints = [c for c in tab.complaints if "ERR_INCOMPLETE" not in c]
    assert [str(rule) for rule in house.broker.acl.rules() if rule.subject == "user:teacher1"] == [
        "allow user:teacher1 subscribe school/new"
    ]
