"""Debian's Chromium, pages that report every complaint of the browser, axe-core, and a folder for pictures."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from fakes.services import PASSWORD
from playwright.async_api import Browser, Page, async_playwright

CHROMIUM = "/usr/bin/chromium"
PICTURES = Path(__file__).parents[2] / "test-results" / "screenshots"
AXE = (Path(__file__).parent / "browser" / "vendor" / "axe.min.js").read_text()
PHONE, DESK = (390, 844), (1280, 900)

# What a live page says when its server has ended before it, at the end of a test.
SERVER_GONE = ("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE", "htmx:sse:error")

NewPage = Callable[..., Awaitable["Tab"]]


class Tab:
    """A page of its own browser profile, and what the browser had to say about it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog {dialog.message}"))

    def _on_console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.text} ({message.location['url']})")

    async def live(self) -> None:
        """Wait until the stream is up."""
        await self.page.wait_for_selector("body[data-stream=live]")

    async def settle(self) -> None:
        """Wait until nothing moves any more: contrast and pictures are of what stays."""
        await asyncio.sleep(0.8)

    async def violations(self) -> list[str]:
        """What axe-core finds, one line each."""
        await self.page.evaluate(AXE)
        result = await self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{found['id']}: {node['target']} {node['failureSummary']}"
            for found in result["violations"]
            for node in found["nodes"]
        ]

    async def picture(self, name: str, *, full: bool = True) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=PICTURES / f"{name}.png", full_page=full)


async def sign_in(tab: Tab, url: str) -> Tab:
    """As the operator `admin`, to the live page."""
    await tab.page.goto(f"{url}/login")
    await tab.page.get_by_label("User name").fill("admin")
    await tab.page.get_by_label("Password").fill(PASSWORD)
    await tab.page.get_by_role("button", name="Sign in").click()
    await tab.live()
    return tab


# One browser and one event loop for the whole run: a start takes longer than most tests.
IN_ONE_LOOP = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def new_page(browser: Browser) -> AsyncIterator[NewPage]:
    """`await new_page(size=PHONE, scheme="dark")`. A page that complained fails its test."""
    tabs: list[Tab] = []
    async with AsyncExitStack() as stack:

        async def start(
            *, size: tuple[int, int] = DESK, scheme: str = "light", still: bool = False
        ) -> Tab:
            context = await browser.new_context(
                viewport={"width": size[0], "height": size[1]},
                color_scheme=scheme,  # type: ignore[arg-type]  # one of its words
                reduced_motion="reduce" if still else "no-preference",
            )
            stack.push_async_callback(context.close)
            tabs.append(Tab(await context.new_page()))
            return tabs[-1]

        yield start
    complaints = [
        complaint
        for tab in tabs
        for complaint in tab.complaints
        if not any(word in complaint for word in SERVER_GONE)
    ]
    # Spelled out: pytest does not take this file's assertions apart.
    assert not complaints, complaints
