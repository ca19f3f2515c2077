"""The page of the real demo: real firmware on real MicroPython, the embedded broker, the encrypted store."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser_kit import IN_ONE_LOOP, NewPage, Tab
from demos import Demo

pytestmark = IN_ONE_LOOP


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    with Demo(tmp_path / "site") as demo:
        yield demo


async def _enter(demo: Demo, tab: Tab) -> None:
    link = re.search(r"http://[^\s\"]+/enter/[\w-]+", json.dumps(demo.ready))
    assert link, demo.ready
    await tab.page.goto(link[0])
    await tab.page.get_by_role("button", name="Enter").click()
    await tab.live()
    await tab.page.locator("#door-front[data-state=locked]").wait_for()


async def _state(tab: Tab, state: str) -> None:
    await tab.page.locator(f"#door-front[data-state={state}]").wait_for()


@pytest.mark.timeout(180)
async def test_a_visit_to_the_virtual_site(demo: Demo, new_page: NewPage) -> None:
    tab = await new_page()
    page = tab.page
    await _enter(demo, tab)
    rows = page.locator("#events > li")

    await page.get_by_role("button", name="A card nobody knows").click()
    await rows.first.get_by_text("Unknown card").wait_for()
    assert "Denied" in await rows.first.inner_text()
    assert demo.openings() == 0

    await page.get_by_role("button", name="Ana Ruiz").click()
    await rows.first.get_by_text("Ana Ruiz", exact=True).wait_for()
    assert "revoked" in await rows.first.inner_text()

    await page.get_by_role("button", name="Maya Okafor").click()
    await rows.first.get_by_text("Maya Okafor", exact=True).wait_for()
    await _state(tab, "unlocked")
    assert demo.openings() == 1
    assert "••••" in await rows.first.inner_text()
    assert "04a1b2" not in (await page.content()).lower()

    await page.get_by_role("button", name="Push open").click()
    await _state(tab, "open")
    await page.get_by_role("button", name="Pull shut").click()
    await _state(tab, "locked")

    await page.locator("#open-front-button").click()
    await page.locator("#open-front[data-release=opened]").wait_for()
    await _state(tab, "unlocked")
    assert demo.openings() == 2
    await _state(tab, "locked")
    await tab.picture("demo", full=False)
    assert await tab.violations() == []

    demo.lab(op="kill", board="front")
    # The broker notices by its keep-alive at the latest; a connection that is reset it sees at once.
    await page.locator("#door-front[data-state=offline]").wait_for(timeout=60_000)
    assert await page.locator("#open-front-button").is_disabled()


@pytest.mark.timeout(120)
async def test_ctrl_c_does_not_wait_for_open_pages(demo: Demo, new_page: NewPage) -> None:
    tab = await new_page()
    await _enter(demo, tab)
    demo.process.send_signal(2)
    async with asyncio.timeout(5):  # two seconds are promised; a test machine may be busy
        while demo.process.poll() is None:  # noqa: ASYNC110  # a process has no event to wait for
            await asyncio.sleep(0.05)
    assert demo.process.returncode == 0, demo.log()
    await tab.page.get_by_text("The connection to the gateway is lost").wait_for()
    tab.complaints = []  # the browser's own words about a gateway that is gone


async def _dark(demo: Demo, pin: str) -> None:
    """A lamp fades: it is told at once, and dark a little later."""
    async with asyncio.timeout(10):
        while demo.lab(op="pwm", board="lamp")["pwm"][pin]["duty"]:  # noqa: ASYNC110 - hardware has no event
            await asyncio.sleep(0.05)


@pytest.mark.timeout(180)
async def test_the_vault_the_sensor_and_the_lamp_of_the_site(demo: Demo, new_page: NewPage) -> None:
    tab = await new_page()
    page = tab.page
    await _enter(demo, tab)

    lamp = page.locator("#light-lamp")
    await lamp.get_by_text("50 %").wait_for()
    await lamp.get_by_label("Level, %").fill("80")
    await lamp.get_by_label("White, K").fill("6500")
    await lamp.get_by_role("button", name="Set").click()
    await lamp.get_by_text("80 %, 6500 K (set from here)").wait_for()
    await _dark(demo, "25")  # the warm string
    await page.get_by_role("button", name="Press the button beside Hall lamp").click()
    await lamp.get_by_text("Off (by its button)").wait_for()
    await _dark(demo, "26")

    sensor = page.locator("#motion-hall")
    await page.get_by_role("button", name="Move", exact=True).click()
    await sensor.get_by_text("Somebody is there.").wait_for()
    await page.get_by_role("button", name="Leave").click()
    await sensor.get_by_text("Nobody is there.").wait_for()

    vault = page.locator("#door-vault")
    keys = page.get_by_label("Keys at Vault")
    await page.get_by_role("button", name="Type").click()
    await page.locator("#door-vault[data-state=unlocked]").wait_for()
    locked_out = vault.get_by_text("Too many attempts")
    # A busy machine may not see every key that is pressed, so codes are typed until the vault has had enough of them.
    for wrong in range(20):
        if await locked_out.is_visible():
            break
        await keys.fill(f"00{wrong:02}#")
        await page.get_by_role("button", name="Type").click()
        await asyncio.sleep(1.5)  # a hand types one code after the other
    await locked_out.wait_for()
    await tab.picture("demo-whole", full=True)
    assert await tab.violations() == []
    await vault.get_by_role("button", name="End the lockout").click()
    await vault.get_by_text("people may try again").wait_for()
    await vault.get_by_text("Too many attempts").wait_for(state="detached")
