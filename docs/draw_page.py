"""Takes the README's picture of the live page: `python docs/draw_page.py` starts a demo of its own, and Chromium."""

import asyncio
import re
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Page, async_playwright

sys.path[:0] = [str(Path(__file__).parents[1] / one) for one in ("gateway/tests", "lab/tests")]

from browser_kit import CHROMIUM, DESK  # noqa: E402 - found by the line above
from demos import Demo  # noqa: E402 - ditto

PICTURE = Path(__file__).parent / "images" / "live.png"
CARDS = ("A card nobody knows", "Ana Ruiz", "Jonas Weber")


async def visit(page: Page, entrance: str) -> None:
    """What shows most of the page: cards that may not pass, an opening from afar, and somebody on their way in."""
    await page.goto(entrance)
    await page.get_by_role("button", name="Enter").click()
    await page.locator("#door-front[data-state=locked]").wait_for()
    for number, card in enumerate(CARDS, 1):
        await page.get_by_role("button", name=card).click()
        await page.locator("#events").get_by_text("Denied").nth(number - 1).wait_for()
    await page.locator("#open-front-button").click()
    await page.locator("#door-front[data-state=unlocked]").wait_for()
    await page.locator("#door-front[data-state=locked]").wait_for()
    await page.get_by_role("button", name="Maya Okafor").click()
    await page.locator("#door-front[data-state=unlocked]").wait_for()
    await page.get_by_role("button", name="Push open").click()
    await page.locator("#door-front[data-state=open]").wait_for()
    await asyncio.sleep(1.5)  # until nothing moves any more


async def main() -> None:
    """Start everything, take the picture, end everything."""
    with tempfile.TemporaryDirectory() as folder, Demo(Path(folder) / "site") as demo:
        demo.online()
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox"]
            )
            size = {"width": DESK[0], "height": 836}
            page = await browser.new_page(viewport=size)  # type: ignore[arg-type]
            entrance = re.search(r"http://\S+/enter/[\w-]+", demo.ready)
            assert entrance, demo.ready
            await visit(page, entrance[0])
            await page.screenshot(path=PICTURE)
            await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
