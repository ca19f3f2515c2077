"""What a door tells people: real firmware on real MicroPython, its light and its relay as witnesses."""

import asyncio
from typing import Any

from scripted_gateway import MEMBER, ScriptedGateway, profile
from watching import PATIENCE_S, until

from doorward_core import topics
from doorward_lab.board import Board
from doorward_lab.lab import Lab

HEAP_KIB = 152
RED, GREEN, BUZZER, RELAY = 26, 4, 13, 25
_SECOND = 1_000_000_000


def installed(port: int) -> dict[str, Any]:
    made = profile(port)
    told = {
        "led": {"r": RED, "g": GREEN, "active": 1},
        "buzzer": {"pin": BUZZER, "active": 1},
    }
    return {**made, "poll_ms": 10, "pins": {**made["pins"], **told}}


async def shown(board: Board, uid: bytes) -> list[tuple[int, int]]:
    """Hold a card up, and return what the light did in the second after, as (pin, times lit)."""
    since = board.present(uid)
    await asyncio.sleep(1.0)
    board.remove()
    await asyncio.sleep(0.3)
    return [
        (
            pin,
            sum(
                e.pin == pin and e.level == 1 and 0 <= e.at_ns - since < _SECOND
                for e in board.edges
            ),
        )
        for pin in (RED, GREEN, BUZZER)
    ]


def junk(number: int) -> bytes:
    return b"\x08" + number.to_bytes(3, "big")


async def test_a_door_says_granted_refused_and_show_it_again(
    lab: Lab, gateway: ScriptedGateway
) -> None:
    board = await lab.start_board(installed(gateway.port), heap_kib=HEAP_KIB)
    await until(lambda: bool(gateway.boot and gateway.events), board)

    assert await shown(board, MEMBER) == [(RED, 0), (GREEN, 1), (BUZZER, 1)]
    relay = next(edge for edge in board.edges if edge.pin == RELAY and edge.level == 1)
    light = next(edge for edge in board.edges if edge.pin == GREEN and edge.level == 1)
    assert board.edges.index(light) > board.edges.index(relay), "what is shown comes after"
    for number in range(4):
        assert await shown(board, junk(number)) == [(RED, 3), (GREEN, 0), (BUZZER, 3)]
    assert (BUZZER, 3) in await shown(board, junk(4))

    # Red and green together, twice: show it again. And whoever does is let in.
    before = len([edge for edge in board.edges if edge.pin == RELAY])
    assert (await shown(board, MEMBER))[:2] == [(RED, 2), (GREEN, 2)]
    assert len([edge for edge in board.edges if edge.pin == RELAY]) == before
    since = board.present(MEMBER)
    await board.wait_edge(RELAY, 1, PATIENCE_S, since_ns=since)
    board.remove()

    # Said once as it began and once as it ended, in the log and in what it reports.
    await until(lambda: bool(gateway.events_of("lockout.cleared")), board)
    assert gateway.events_of("lockout.entered") == [{"reader": 0, "turned_away": 0}]
    assert gateway.events_of("lockout.cleared") == [{"reader": 0, "turned_away": 1}]
    await until(lambda: b"guarded" not in _reports(gateway)[-1], board)
    assert sum(b'"guarded":true' in said for said in _reports(gateway)) >= 1
    assert len(board.starts) == 1


def _reports(gateway: ScriptedGateway) -> list[bytes]:
    return [payload for suffix, payload in gateway.heard if suffix == topics.REPORTED]


async def test_a_door_that_stands_open_is_heard_until_it_is_shut(
    lab: Lab, gateway: ScriptedGateway
) -> None:
    board = await lab.start_board(installed(gateway.port), heap_kib=HEAP_KIB)
    await until(lambda: bool(gateway.boot and gateway.events), board)
    since = board.set_contact(True)
    await board.wait_edge(BUZZER, 1, PATIENCE_S, since_ns=since)
    assert len(gateway.events_of("door.forced")) <= 1
    board.set_contact(False)
    await asyncio.sleep(1.5)
    quiet = len(board.edges)
    await asyncio.sleep(1.5)
    assert len(board.edges) == quiet
