"""A new key for a real board: it opens before and after, with the gateway and without, and a cut leaves it one key."""

import asyncio

import pytest
from site_support import BROKERS, is_current, profiles
from watching import opens, until

from doorward.app.ports import Message
from doorward.runtime.demo import site as demosite
from doorward.runtime.demo.gateway import VirtualSite
from doorward_core import topics
from doorward_lab import Board, Lab

pytestmark = pytest.mark.parametrize("broker", BROKERS, indirect=True)

MEMBER = demosite.CARDS["member"].uid
STRANGER = demosite.CARDS["stranger"].uid


@pytest.fixture
async def board(site: VirtualSite, lab: Lab) -> Board:
    board = await lab.start_board(profiles(site)[0])
    await until(lambda: is_current(site), board)
    return board


async def rekey(site: VirtualSite) -> int:
    return await site.cases.rekeying.rekey("front", "test")


async def test_a_board_takes_a_new_key_and_opens_as_before(site: VirtualSite, board: Board) -> None:
    assert await opens(board, MEMBER)
    assert await rekey(site) == 2
    assert site.signer.epoch("front") == 2
    await until(lambda: is_current(site), board)
    assert await opens(board, MEMBER)
    assert not await opens(board, STRANGER)
    assert await rekey(site) == 3
    await until(lambda: is_current(site), board)
    assert len(board.starts) == 3
    # Nobody to ask: what it holds under its third key is enough.
    await site.stop()
    assert await opens(board, MEMBER)
    assert not await opens(board, STRANGER)


async def test_flashing_a_board_anew_leaves_it_the_key_that_it_was_given(
    site: VirtualSite, board: Board, lab: Lab
) -> None:
    profile = {**board.profile, "poll_ms": 40}
    await rekey(site)
    await until(lambda: is_current(site), board)
    await lab.stop_board("front")
    await until(lambda: not is_current(site), board)
    board = await lab.start_board(profile)
    await until(lambda: is_current(site), board)
    assert await opens(board, MEMBER)


async def test_between_the_keys_it_opens_by_what_it_held_before(
    site: VirtualSite, board: Board
) -> None:
    """The gateway dies before it has heard a word under the new key, so no new cache has come."""
    rekeying = asyncio.ensure_future(rekey(site))
    handle = site.link.on_message

    def deaf_after_the_challenge(message: Message) -> None:
        if message.suffix == topics.COMMANDS_ACK:
            handle(message)
            site.link.on_message = lambda _message: None

    site.link.on_message = deaf_after_the_challenge
    await until(lambda: len(board.starts) == 2, board)
    rekeying.cancel()
    await site.stop()
    assert site.signer.epoch("front") == 1
    assert await opens(board, MEMBER)
    assert not await opens(board, STRANGER)


async def test_power_cuts_on_the_way_leave_a_board_with_one_good_key(
    site: VirtualSite, board: Board
) -> None:
    for round_ in range(4):
        rekeying = asyncio.ensure_future(rekey(site))
        await asyncio.sleep(0.01 + 0.03 * round_)
        await board.kill()
        await board.power_on()
        rekeying.cancel()
        await asyncio.wait((rekeying,))
        await until(lambda: site.cases.states.get("front").online, board)
        await until(lambda: is_current(site), board)
        assert await opens(board, MEMBER)
    assert not await opens(board, STRANGER)
