"""Junk at a door: real firmware on real MicroPython, with the relay as witness."""

import asyncio
import contextlib
from pathlib import Path

from firmware_copy import planted
from scripted_gateway import MEMBER, ScriptedGateway, profile
from watching import opens, until

from doorward_lab.board import Board
from doorward_lab.lab import Lab

HEAP_KIB = 136
JUNK = 1000
POLL_MS = 10


async def start(lab: Lab, gateway: ScriptedGateway, firmware: Path | None = None) -> Board:
    installed = {**profile(gateway.port), "poll_ms": POLL_MS}
    board = await lab.start_board(installed, heap_kib=HEAP_KIB, firmware=firmware)
    await until(lambda: bool(gateway.boot and gateway.events), board)
    return board


async def flood(board: Board, times: int) -> None:
    """One card after another, as quickly as the reader tells them apart."""
    for number in range(times):
        before = len(board.seen)
        while len(board.seen) == before:
            board.present(b"\x08" + number.to_bytes(3, "big"))
            await asyncio.sleep(POLL_MS / 500)
            board.remove()
            # The lab hears of a card when it is gone, if it came to the reader's notice at all.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    while len(board.seen) == before:  # noqa: ASYNC110 - the lab keeps no event for it
                        await asyncio.sleep(0.001)


async def test_a_thousand_junk_taps_delay_a_member_by_one_tap(
    lab: Lab, gateway: ScriptedGateway
) -> None:
    board = await start(lab, gateway)
    assert await opens(board, MEMBER)
    await flood(board, JUNK)
    asked = len(gateway.requests)
    assert asked <= 1 + 5
    assert not await opens(board, MEMBER)
    await asyncio.sleep(0.2)  # or it would be a card that stays
    assert await opens(board, MEMBER)
    await until(lambda: bool(gateway.events_of("lockout.cleared")), board)
    assert gateway.events_of("lockout.entered") == [{"reader": 0, "turned_away": 0}]
    [cleared] = gateway.events_of("lockout.cleared")
    # On a busy machine a few are gone before the board has read the whole of them.
    assert JUNK * 0.95 < cleared["turned_away"] <= JUNK - 5 + 1
    assert len(board.starts) == 1


async def test_a_mutant_that_looks_at_everything_is_caught(
    lab: Lab, gateway: ScriptedGateway, tmp_path: Path
) -> None:
    firmware = planted(
        tmp_path,
        "doorward_node/taps.py",
        "if not self.gate.step(",
        "if False and self.gate.step(",
    )
    board = await start(lab, gateway, firmware)
    await flood(board, 20)
    assert len(gateway.requests) > 15
