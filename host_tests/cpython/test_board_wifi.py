"""Wi-Fi and broker come and go, and whoever stands at the door does not notice."""

from pathlib import Path
from typing import Any

from firmware_copy import planted
from relay import Relay
from scripted_gateway import MEMBER, ScriptedGateway, profile
from watching import PATIENCE_S, opens, until

from doorward_core import topics
from doorward_lab import Air
from doorward_lab.board import Board
from doorward_lab.lab import Lab

WIFI = {"ssid": "school", "password": "right"}
HEAP_KIB = 144


def on_air(port: int) -> dict[str, Any]:
    return profile(port) | {"wifi": WIFI}


async def learnt(board: Board, gateway: ScriptedGateway) -> None:
    """Let the board fetch a cache in which one card may pass."""
    await until(lambda: bool(gateway.boot and gateway.events), board)
    gateway.offer_cache(7, [MEMBER])
    await until(
        lambda: any(b'"cache_version":7' in p for s, p in gateway.heard if s == topics.REPORTED),
        board,
    )


def sockets(board: Board) -> int:
    """How many sockets its process holds."""
    links = (path.readlink() for path in Path(f"/proc/{board.pid}/fd").iterdir())
    return sum(str(link).startswith("socket:") for link in links)


def sources(gateway: ScriptedGateway) -> list[str]:
    return [data["source"] for data in gateway.events_of("access.decision")]


async def test_the_access_point_goes_and_comes_and_the_door_goes_on(
    lab: Lab, port: int, gateway: ScriptedGateway
) -> None:
    async with Relay(port) as relay:
        board = await lab.start_board(on_air(relay.port), heap_kib=HEAP_KIB)
        await learnt(board, gateway)
        for taps, air in ((3, Air.NO_ACCESS_POINT), (6, Air.WRONG_PASSWORD)):
            board.set_wifi(air)
            relay.still = True
            for _ in range(2):
                assert await opens(board, MEMBER)
            await board.wait_log(f"wifi: {air.value}", PATIENCE_S)
            assert await opens(board, MEMBER)
            board.set_wifi(Air.GOOD)
            relay.still = False
            await until(lambda n=taps: len(sources(gateway)) == n, board)
        assert set(sources(gateway)) == {"board"}
        assert await opens(board, MEMBER)
        await until(lambda: sources(gateway)[-1] == "gateway", board)
        assert len(board.starts) == 1
        assert not gateway.events_of("reader.reset")
        assert not any("access point" in line for line in board.log)
        # The lab's wire and the broker: lwIP has ten sockets for all, and forgets none by itself.
        assert sockets(board) == 2


async def test_a_network_on_which_nobody_answers_is_joined_again(
    lab: Lab, port: int, gateway: ScriptedGateway, tmp_path: Path
) -> None:
    firmware = planted(
        tmp_path, "doorward_node/wifi.py", "_DEAF_S = const(120)", "_DEAF_S = const(2)"
    )
    async with Relay(port) as relay:
        board = await lab.start_board(on_air(relay.port), heap_kib=HEAP_KIB, firmware=firmware)
        await learnt(board, gateway)
        board.set_wifi(Air.DEAF)
        relay.still = True
        await relay.drop()
        assert await opens(board, MEMBER)
        board.log.clear()
        board.set_wifi(Air.NO_ACCESS_POINT)
        # Only who tries to join again can find out that it has gone meanwhile.
        await board.wait_log("wifi: 201", PATIENCE_S)
        board.set_wifi(Air.GOOD)
        relay.still = False
        await until(lambda: sources(gateway) == ["board"], board)
        assert len(board.starts) == 1
