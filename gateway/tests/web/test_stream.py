"""The stream over a real socket: httpx's own transport would wait for its end."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest
from fakes.services import FRONT, FakeHouse
from fakes.serving import serving
from fakes.visitor import Visitor

from doorward.web import create_app
from doorward.web.stream import Position, frame


class Frames:
    """What arrives, one event at a time: (id, html)."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()

    async def next(self) -> tuple[str, str]:
        number, data = "", []
        async with asyncio.timeout(5):
            async for line in self._lines:
                if line.startswith("id: "):
                    number = line[4:]
                elif line.startswith("data: "):
                    data.append(line[6:])
                elif not line and number:
                    return number, "\n".join(data)
        raise EOFError


@asynccontextmanager
async def watching(visitor: Visitor, path: str = "", last: str = "") -> AsyncIterator[Frames]:
    if not path:
        page = (await visitor.get("/")).text
        found = re.search(r'hx-sse:connect="([^"]+)"', page)
        assert found
        path = found[1].replace("&amp;", "&")
    headers = {"Last-Event-ID": last} if last else {}
    async with visitor.stream("GET", path, headers=headers) as response:
        assert response.status_code == 200, path
        assert response.headers["content-type"].startswith("text/event-stream")
        yield Frames(response)


@pytest.fixture
async def site(house: FakeHouse) -> AsyncIterator[Visitor]:
    async with serving(create_app(house.services)) as url, Visitor(base_url=url) as visitor:
        await visitor.log_in()
        yield visitor


def _item(html: str, item: str) -> str:
    found = re.search(rf'<(\w+) [^>]*id="{item}".*?</\1>', html, re.DOTALL)
    assert found, html
    return found[0]


async def test_an_event_arrives_and_is_the_fragment_of_the_page(
    site: Visitor, house: FakeHouse
) -> None:
    async with watching(site) as frames:
        await house.site.tap("front", "member")  # type: ignore[union-attr]  # a demo has one
        _, html = await frames.next()
        pushed = _item(html, "event-1")
        _, html = await frames.next()
        card = _item(html, "door-front")
    page = (await site.get("/")).text
    assert pushed.replace(" data-fresh", "") == _item(page, "event-1")
    assert re.sub(r"\s+", " ", card) == re.sub(r"\s+", " ", _item(page, "door-front"))


async def test_who_comes_back_gets_what_was_missed_and_nothing_twice(
    site: Visitor, house: FakeHouse
) -> None:
    async with watching(site) as frames:
        house.record(kind="door.open", door_id="front")
        last, _ = await frames.next()
    house.record(kind="door.closed", door_id="front")
    house.record(kind="door.open", door_id="front")
    async with watching(site, "/stream", last) as frames:
        told = [await frames.next(), await frames.next()]
    assert ["event-2" in told[0][1], "event-3" in told[1][1]] == [True, True]
    assert "event-1" not in told[0][1] + told[1][1]


async def test_what_the_page_shows_already_is_not_pushed_again(
    site: Visitor, house: FakeHouse
) -> None:
    position = (await site.get("/")).text.split("after=")[1].split("&")[0]
    house.record(
        kind="door.open", door_id="front"
    )  # between the position and the page's own reading
    house.record(kind="door.closed", door_id="front")
    async with watching(site, f"/stream?after={position}&seen=1") as frames:
        assert "event-1" not in (await frames.next())[1]
        assert "event-2" in (await frames.next())[1]


@pytest.mark.parametrize("last", ["0badcafe.3", "nonsense", "", "0badcafe.999999999999999999999"])
async def test_a_page_of_an_earlier_run_gets_everything(
    last: str, site: Visitor, house: FakeHouse
) -> None:
    house.record(kind="door.open", door_id="front")
    async with watching(site, "/stream", last) as frames:
        _, html = await frames.next()
    assert 'hx-target="#doors"' in html
    assert 'hx-target="#events"' in html
    assert "event-1" in html


async def test_a_hole_is_filled_with_everything_once() -> None:
    house = FakeHouse(FRONT, kept=2)
    async with serving(create_app(house.services)) as url, Visitor(base_url=url) as visitor:
        await visitor.log_in()
        async with watching(visitor) as frames:
            house.record(kind="door.open", door_id="front")
            last, _ = await frames.next()
        for _ in range(5):
            house.record(kind="door.closed", door_id="front")
        async with watching(visitor, "/stream", last) as frames:
            number, html = await frames.next()
            assert 'hx-target="#doors"' in html
            assert number.endswith(".6")
            house.record(kind="door.open", door_id="front")
            number, html = await frames.next()
            assert number.endswith(".7")
            assert "event-7" in html
            assert "event-6" not in html


async def test_a_door_that_is_new_brings_everything(site: Visitor, house: FakeHouse) -> None:
    async with watching(site) as frames:
        house.doors.views["lab"] = replace(FRONT, id="lab", name="Lab")
        house.set_door("lab", locked=False)
        _, html = await frames.next()
    assert 'id="door-lab"' in html
    assert 'hx-target="#doors"' in html


async def test_a_release_is_told_from_unknown_to_opened(site: Visitor, house: FakeHouse) -> None:
    async with watching(site) as frames:
        await house.doors.open("front", "admin")
        await frames.next()
        assert 'data-release="unknown"' in (await frames.next())[1]
        house.finish_release("front", "opened")
        assert 'data-release="opened"' in (await frames.next())[1]


async def test_a_stream_ends_with_its_session(site: Visitor, house: FakeHouse) -> None:
    async with watching(site) as frames:
        house.auth.sessions.clear()
        house.record(kind="door.open", door_id="front")
        with pytest.raises(EOFError):
            await frames.next()
    response = await site.get("/stream")
    assert response.status_code == 401


@pytest.mark.parametrize("how", ["revoked", "role"])
async def test_a_silent_stream_ends_soon_after_its_session_may_watch_no_longer(
    how: str, site: Visitor, house: FakeHouse
) -> None:
    async with watching(site) as frames:
        house.record(kind="door.open", door_id="front")
        await frames.next()
        begun = time.monotonic()
        if how == "revoked":
            house.auth.sessions.clear()
        else:
            house.auth.permissions = frozenset({"audit.see"})
        with pytest.raises(EOFError):
            await frames.next()
        assert time.monotonic() - begun < 4  # two seconds are promised; a test machine may be busy
    assert not house.feed.listeners


async def test_a_guest_is_pushed_doors_and_no_audit(site: Visitor, house: FakeHouse) -> None:
    async with watching(site) as frames:
        house.auth.role = "Guest"
        await house.site.tap("front", "member")  # type: ignore[union-attr]  # a demo has one
        told = [await frames.next(), await frames.next()]
        house.auth.role = "Admin"
        house.record(kind="door.open", door_id="front")
        _, html = await frames.next()
    assert 'id="event-2"' in html  # what may be seen arrives
    assert 'data-state="unlocked"' in told[1][1]
    for _, html in told:
        for hidden in ("Maya", "d5e6", "event-1", 'action="/doors/front/open"', "leaf-front"):
            assert hidden not in html, hidden
    house.auth.role = "Guest"
    async with watching(site, "/stream", "0badcafe.1") as frames:
        _, html = await frames.next()
    assert 'hx-target="#doors"' in html
    assert "event-" not in html
    assert "Maya" not in html


async def test_a_server_that_stops_ends_its_streams_at_once(house: FakeHouse) -> None:
    async with Visitor() as visitor:
        async with serving(create_app(house.services)) as url:
            visitor.base_url = httpx.URL(url)
            await visitor.log_in()
            page = watching(visitor)
            frames = await page.__aenter__()
            begun = time.monotonic()
        assert time.monotonic() - begun < 2  # what people wait for after Ctrl-C, not a benchmark
        with pytest.raises(EOFError):
            await frames.next()
        await page.__aexit__(None, None, None)
    assert not house.feed.listeners


async def test_a_browser_that_leaves_is_forgotten(site: Visitor, house: FakeHouse) -> None:
    async with watching(site) as frames:
        house.record(kind="door.open", door_id="front")
        await frames.next()
        assert len(house.feed.listeners) == 1
    for _ in range(100):
        if not house.feed.listeners:
            break
        await asyncio.sleep(0.02)
    assert not house.feed.listeners


def test_a_frame_cannot_be_broken_out_of() -> None:
    told = frame("a\r\nb\rid: 9\n\nc", Position("ab", 1)).decode()
    assert told == "id: ab.1\ndata: a\ndata: b\ndata: id: 9\ndata: \ndata: c\n\n"


@pytest.mark.parametrize(
    "text", ["", ".", "ab", "ab.", ".1", "ab.-1", "ab.1x", "ab.²", "ab." + "9" * 30]
)
def test_a_position_that_is_none_is_none(text: str) -> None:
    assert Position.parse(text) is None


def test_a_position_reads_back() -> None:
    assert Position.parse(str(Position("ab", 12))) == Position("ab", 12)
