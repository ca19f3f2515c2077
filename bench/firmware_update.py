"""What an update costs who stands at the door: taps at a board that fetches one, beside taps at the same board idle.

Everything is fetched that a whole new firmware has: files of its size that the board cannot have yet. They are noise,
so the board is stopped before it would start them.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import tap
from reporting import say

from doorward.data import data_root
from doorward.domain import updates
from doorward.firmware import bundle
from doorward.runtime.demo.gateway import VirtualSite
from doorward_lab import Board

VERSION = "99.0.0"
FILE_SIZE = 4096
FILES = 32
IDLE_TAPS = 60
ACTOR = "bench"
ONLINE_S = 30
Taps = list[tuple[float, float]]


async def figures(
    site: VirtualSite, board: Board, card: str, stall: Callable[[], Awaitable[float]]
) -> dict[str, Any]:
    """Taps while nothing else happens, then taps until the update is on the board's flash.

    stall: asks the board for its longest stall since it started, in ms.
    """
    async with asyncio.timeout(ONLINE_S):
        while not site.cases.states.get(board.id).online:  # noqa: ASYNC110 - the gateway keeps no event for it
            await asyncio.sleep(0.02)
    idle = [await tap.tap(board, card) for _ in range(IDLE_TAPS)]
    idle_stall = await stall()
    say(f"  idle: {tap.summary(idle)}, longest stall {idle_stall} ms")
    signed = await site.cases.shelf.sign(_all_new(), actor=ACTOR)
    await site.cases.shelf.add(signed.pack(), actor=ACTOR)
    begun = asyncio.get_running_loop().time()
    await site.cases.updates.begin([board.id], VERSION, actor=ACTOR)
    busy, busy_stall = await _while_it_lasts(site, board, card, stall)
    took = asyncio.get_running_loop().time() - begun
    say(f"  fetching for {took:.0f} s: {tap.summary(busy)}, longest stall {busy_stall} ms")
    return _compared(idle, busy) | {
        "seconds": round(took),
        "idle_stall_ms": idle_stall,
        "stall_ms": busy_stall,
    }


def _all_new() -> bundle.Bundle:
    ships = bundle.shipped(data_root())
    noise = {
        f"doorward_node/noise_{number}.mpy": secrets.token_bytes(FILE_SIZE)
        for number in range(FILES)
    }
    return bundle.Bundle(VERSION, ships.epoch, {**ships.files, **noise})


async def _while_it_lasts(
    site: VirtualSite, board: Board, card: str, stall: Callable[[], Awaitable[float]]
) -> tuple[Taps, float]:
    """Taps until the board has everything; and the longest stall by then."""
    taps: Taps = []
    longest = 0.0
    while True:
        found = site.cases.updates.of(board.id)
        state = found.state if found else None
        if state not in updates.RECALLABLE or len(board.starts) > 1:
            break
        taps.append(await tap.tap(board, card))
        longest = max(longest, await stall())
    assert state == updates.INSTALLED, f"the update ended as {found}"
    return taps, longest


def _compared(idle: Taps, busy: Taps) -> dict[str, float]:
    """The poll that saw the card to the relay, as a ratio."""
    before, during = tap.summary(idle), tap.summary(busy)
    return {
        "taps": len(busy),
        "p50_ratio": round(during["p50_beyond_ms"] / before["p50_beyond_ms"], 2),
        "p99_ratio": round(during["p99_beyond_ms"] / before["p99_beyond_ms"], 2),
    }
