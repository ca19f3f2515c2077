"""A new key for a real board: it opens before and after, with the gateway and without, and a cut leaves it one key."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from doorward import config
from doorward.app.ports import Message
from doorward.runtime import demosite
from doorward.runtime.demo import VirtualSite
from doorward_core import topics
from doorward_lab import Board, Lab

STRIKE = demosite.pins()["strike"]["pin"]
ANY_PORT = {"web": {"port": 0}, "mqtt": {"port": 0}}
PATIENCE_S = 15.0


class Stage:
    """A virtual site with one board; `starts` is how often the board has begun its program."""

    def __init__(self, site: VirtualSite, lab: Lab, board: Board) -> None:
        self.site = site
        self.lab = lab
        self.board = board

    @property
    def epoch(self) -> int:
        return self.site.signer.epoch("front")

    def is_current(self) -> bool:
        door = self.site.cases.states.get("front")
        return door.online and door.policy_version == door.policy_wanted

    async def until(self, condition: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not condition():  # noqa: ASYNC110 - a test watches from outside
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError("\n".join(self.board.log)) from None

    async def opens(self, card: str) -> bool:
        """Hold a card until the door has opened and locked again, or nothing has come of it."""
        since = self.board.present(demosite.CARDS[card].uid)
        try:
            edge = await self.board.wait_edge(STRIKE, 1, 3.0, since_ns=since)
        except TimeoutError:
            return False
        finally:
            self.board.remove()
        await self.board.wait_edge(STRIKE, 0, PATIENCE_S, since_ns=edge.at_ns)
        return True


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    directory = tmp_path / "site"
    directory.mkdir()
    site = VirtualSite(config.load(directory, defaults=ANY_PORT, environ={}))
    await site.start()
    content: dict[str, Any] = json.loads((directory / "site.json").read_text())
    async with Lab(tmp_path / "lab") as lab:
        stage = Stage(site, lab, await lab.start_board(content["boards"][0]))
        await stage.until(stage.is_current)
        yield stage
    await site.stop()
    await site.wait()


async def test_a_board_takes_a_new_key_and_opens_as_before(stage: Stage) -> None:
    assert await stage.opens("member")
    assert await stage.site.cases.rekeying.rekey("front", "test") == 2
    assert stage.epoch == 2
    await stage.until(stage.is_current)
    assert await stage.opens("member")
    assert not await stage.opens("stranger")
    assert await stage.site.cases.rekeying.rekey("front", "test") == 3
    await stage.until(stage.is_current)
    assert len(stage.board.starts) == 3
    # Nobody to ask: what it holds under its third key is enough.
    await stage.site.stop()
    assert await stage.opens("member")
    assert not await stage.opens("stranger")


async def test_flashing_a_board_anew_leaves_it_the_key_that_it_was_given(stage: Stage) -> None:
    profile = {**stage.board.profile, "poll_ms": 40}
    await stage.site.cases.rekeying.rekey("front", "test")
    await stage.until(stage.is_current)
    await stage.lab.stop_board("front")
    await stage.until(lambda: not stage.is_current())
    stage.board = await stage.lab.start_board(profile)
    await stage.until(stage.is_current)
    assert await stage.opens("member")


async def test_between_the_keys_it_opens_by_what_it_held_before(stage: Stage) -> None:
    """The gateway dies before it has heard a word under the new key, so no new cache has come."""
    site = stage.site
    rekeying = asyncio.ensure_future(site.cases.rekeying.rekey("front", "test"))
    handle = site.link.on_message

    def deaf_after_the_challenge(message: Message) -> None:
        if message.suffix == topics.COMMANDS_ACK:
            handle(message)
            site.link.on_message = lambda _message: None

    site.link.on_message = deaf_after_the_challenge
    await stage.until(lambda: len(stage.board.starts) == 2)
    rekeying.cancel()
    await site.stop()
    assert stage.epoch == 1
    assert await stage.opens("member")
    assert not await stage.opens("stranger")


async def test_power_cuts_on_the_way_leave_a_board_with_one_good_key(stage: Stage) -> None:
    for round_ in range(4):
        rekeying = asyncio.ensure_future(stage.site.cases.rekeying.rekey("front", "test"))
        await asyncio.sleep(0.01 + 0.03 * round_)
        await stage.board.kill()
        await stage.board.power_on()
        rekeying.cancel()
        await asyncio.wait((rekeying,))
        await stage.until(lambda: stage.site.cases.states.get("front").online)
        await stage.until(stage.is_current)
        assert await stage.opens("member")
    assert not await stage.opens("stranger")
