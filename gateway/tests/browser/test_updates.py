"""Updates by a click: a real gateway, a real board and Chromium. What fails says why; all can be called back."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from browser_kit import DESK, IN_ONE_LOOP, PHONE, NewPage, Tab
from firmware_copies import Versions
from site_support import is_current, profiles, running, settings_for
from watching import until

from doorward.firmware.bundle import Bundle
from doorward.runtime.demo import site as demosite
from doorward.runtime.demo.gateway import VirtualSite
from doorward_lab import Board, Lab

pytestmark = IN_ONE_LOOP

BROKEN = ("doorward_node/app.py", "self.journal.flush()", "raise RuntimeError('broken')")
SECONDS = 60_000  # of patience with a busy machine, in ms


class TwoDoors(VirtualSite):
    """The second one's board is not started before the first is updated."""

    devices = (*demosite.DOOR, demosite.WHOLE[1])


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Versions:
    return Versions(tmp_path_factory.mktemp("versions"))


@pytest_asyncio.fixture(loop_scope="session")
async def site(tmp_path: Path) -> AsyncIterator[VirtualSite]:
    async with running(TwoDoors(settings_for(tmp_path / "site"))) as site:
        yield site


async def shelved(site: VirtualSite, bundle: Bundle) -> None:
    signed = await site.cases.shelf.sign(bundle, actor="ada")
    await site.cases.shelf.add(signed.pack(), actor="ada")


async def board(site: VirtualSite, lab: Lab, versions: Versions, number: int) -> Board:
    profile = profiles(site)[number]
    board = await lab.start_board(profile, firmware=versions.old)
    await until(lambda: site.cases.devices.get(profile["id"]).online, board)
    return board


async def looked_at(tab: Tab, name: str) -> None:
    """A picture of each size and scheme, and axe's opinion of it."""
    for scheme in ("light", "dark"):
        await tab.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # ditto
        for size in (DESK, PHONE):
            await tab.page.set_viewport_size({"width": size[0], "height": size[1]})
            await tab.settle()
            assert await tab.violations() == []
            await tab.picture(f"updates-{name}-{scheme}-{size[0]}")
            wide = await tab.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= size[0]


@contextmanager
def held(site: VirtualSite) -> Iterator[None]:
    """No piece of firmware gets to a board: what is seen stays as it is."""
    publish = site.link.publish

    def without(topic: str, payload: bytes, *, retain: bool = False) -> None:
        if not (topic.endswith("/firmware") and b'"data"' in payload):
            publish(topic, payload, retain=retain)

    site.link.publish = without  # type: ignore[method-assign]
    try:
        yield
    finally:
        site.link.publish = publish  # type: ignore[method-assign]


@pytest.mark.timeout(400)
async def test_boards_are_updated_by_a_click(
    site: VirtualSite, versions: Versions, new_page: NewPage, cache: Path
) -> None:
    async with Lab(site.settings.directory / "lab", cache=cache) as lab:
        front = await board(site, lab, versions, 0)
        await until(lambda: is_current(site), front)
        await shelved(site, versions.bundle("0.2.0"))
        tab = await new_page()
        page = tab.page
        await page.goto(site.url)
        await page.get_by_role("button", name="Enter").click()
        await page.goto(f"{site.url.split('/enter')[0]}/boards")
        await tab.live()
        card = page.locator("#board-front")

        await card.get_by_role("button", name="Update to 0.2.0").click()
        await card.locator("progress:not([value='0'])").wait_for(timeout=SECONDS)
        await card.get_by_text("Fetching", exact=True).wait_for(timeout=SECONDS)
        await card.locator("dd", has_text="0.2.0").wait_for(timeout=SECONDS)
        await card.locator(".board-update").wait_for(state="detached", timeout=SECONDS)

        second = await board(site, lab, versions, 1)
        name = profiles(site)[1]["id"]
        await shelved(site, versions.bundle("0.3.0", BROKEN))
        await page.get_by_role("button", name="Update all to 0.3.0").click()
        rollout = page.locator("#rollout")
        await card.locator("progress:not([value='0'])").wait_for(timeout=SECONDS)
        with held(site):
            await rollout.get_by_text("1 fetching, 1 waiting").wait_for(timeout=SECONDS)
            await looked_at(tab, "under-way")
            await rollout.get_by_text("1 fetching, 1 waiting").wait_for()
        await rollout.get_by_text("1 stopped, 1 failed").wait_for(timeout=2 * SECONDS)
        await card.get_by_text("RuntimeError: broken").wait_for()
        assert "front: " in await page.locator(f"#board-{name} .board-update").inner_text()
        await looked_at(tab, "failed")

        await shelved(site, versions.bundle("0.4.0"))
        await until(lambda: site.cases.devices.get("front").online, front)
        await page.get_by_role("button", name="Update all to 0.4.0").click()
        with held(site):
            await rollout.get_by_text("1 fetching").wait_for(timeout=SECONDS)
            await page.get_by_role("button", name="Cancel all updates").click()
            await card.get_by_text("Cancelled", exact=True).wait_for(timeout=SECONDS)
        assert len(second.starts) == 1
        assert site.cases.devices.get("front").firmware == "0.2.0"
