"""A vault board for tests: a solenoid that pulls a bolt, a switch that sees it, and a reader."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

from scripted_gateway import ScriptedGateway, profile
from watching import until

from doorward_core import seal, topics
from doorward_lab.board import Board

SOLENOID, SWITCH = 25, 26
HEAP_KIB = 160
RIGHT = bytes.fromhex("04a1b2c3d4e5f6")
WRONG = bytes.fromhex("08010203")
METRICS = "telemetry/metrics"
_AWAY_S = 0.2  # until a reader counts a card as gone


def vault_profile(port: int, **changes: Any) -> dict[str, Any]:
    """The config.json of a vault whose broker listens on `port`."""
    door = profile(port, "vault")
    bolt = {"driver": "solenoid", "pin": SOLENOID, "active": 1, "pulse_ms": 400}
    pins = {
        "padlock": {**bolt, "switch": {"pin": SWITCH, "locked": 0}},
        "reader": door["pins"]["reader"],
    }
    return {**door, "role": "vault", "pins": pins, **changes}


def keypad_profile(port: int, **changes: Any) -> dict[str, Any]:
    """A vault with a keypad and a servo, as boards/vault-esp32.toml wires them."""
    servo = {"driver": "servo", "pin": 25, "locked_us": 1000, "unlocked_us": 2000, "move_ms": 300}
    keypad = {
        "driver": "matrix",
        "rows": [18, 19, 21, 22],
        "cols": [32, 33, 27],
        "keys": "123456789*0#",
    }
    pins = {"padlock": {**servo, "switch": {"pin": SWITCH, "locked": 0}}, "keypad": keypad}
    return vault_profile(port, pins=pins, **changes)


def turns(board: Board) -> list[str]:
    """Where the servo was sent, one turn after the other, as its pulses tell."""
    pulses = [duty.duty * 1_000_000 // (duty.hz * 65536) for duty in board.duties if duty.hz]
    return ["unlocked" if pulse > 1500 else "locked" for pulse in pulses if pulse > 500]


def pulls(board: Board) -> int:
    """How often the bolt was pulled, as the pin of its solenoid tells."""
    return sum(edge.pin == SOLENOID and edge.level == 1 for edge in board.edges)


async def happens(condition: Callable[[], object], seconds: float = 1.0) -> bool:
    """Whether it is so within that time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.005)
    return True


async def show(board: Board, gateway: ScriptedGateway, uid: bytes) -> bool:
    """Hold a card before the reader. Whether anybody looked at it: then the gateway was asked."""
    asked, seen = len(gateway.requests), len(board.seen)
    board.present(uid)
    looked_at = await happens(lambda: len(gateway.requests) > asked)
    board.remove()
    await until(lambda: len(board.seen) > seen or not board.is_on, board)
    await asyncio.sleep(_AWAY_S)
    return looked_at


async def wrong(board: Board, gateway: ScriptedGateway, times: int) -> int:
    """That many wrong cards. How many were looked at."""
    return sum([await show(board, gateway, WRONG) for _ in range(times)])


def said(gateway: ScriptedGateway, suffix: str) -> list[dict[str, Any]]:
    """The bodies of what the board said there, seals verified."""
    return [
        json.loads(seal.open_sealed(gateway.keys, suffix, payload).body)
        for leaf, payload in gateway.heard
        if leaf == suffix and payload
    ]


def status(gateway: ScriptedGateway) -> tuple[str, str | None]:
    """(state, error) as last reported."""
    last = (said(gateway, topics.REPORTED) or [{"state": "", "error": None}])[-1]
    return last["state"], last["error"]
