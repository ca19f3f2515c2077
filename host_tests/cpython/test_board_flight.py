"""What a board did before it failed comes into its log once it is back, also when it hung."""

import base64
import struct
from pathlib import Path

import pytest
from firmware_copy import planted
from scripted_gateway import MEMBER, ScriptedGateway, profile
from watching import PATIENCE_S, until

from doorward_lab import Cause
from doorward_lab.lab import Lab

STRIKE = 25
HEAP_KIB = 144
# The first line of the door loop's step, and what happens a second after the strike was energised.
STEP = "        if self.contact and self.contact.sample():\n"
LATER = "        if self.strike.energised_ms() > 1000:\n            "


@pytest.fixture
def gateway(gateway: ScriptedGateway) -> ScriptedGateway:
    gateway.seconds = 9
    return gateway


def notes(gateway: ScriptedGateway) -> list[tuple[int, int]]:
    """(code, value) of the whole recording; none before it is complete."""
    parts = gateway.events_of("flight")
    if not parts or len(parts) < parts[0]["of"]:
        return []
    whole = b"".join(base64.b64decode(part["notes"]) for part in parts)
    return [(code, value) for code, _, _, value in struct.iter_unpack("<BBHH", whole)]


@pytest.mark.parametrize(
    ("fault", "cause", "last"),
    [
        ("raise ValueError('planted')\n", Cause.HARD, (2, 0)),
        ("while True: pass\n", Cause.WATCHDOG, (16, sum(b"access.decision"))),
        ("while True: self.hoard = getattr(self, 'hoard', 0), bytes(200)\n", Cause.HARD, (2, 0)),
    ],
    ids=["raises", "hangs", "hoards"],
)
async def test_a_board_that_failed_tells_what_came_before(
    fault: str,
    cause: Cause,
    last: tuple[int, int],
    lab: Lab,
    port: int,
    gateway: ScriptedGateway,
    tmp_path: Path,
) -> None:
    firmware = planted(tmp_path, "doorward_node/doorway.py", STEP, LATER + fault + STEP)
    board = await lab.start_board(profile(port), heap_kib=HEAP_KIB, firmware=firmware)
    await until(lambda: bool(gateway.boot and gateway.events), board)
    board.present(MEMBER)
    await board.wait_edge(STRIKE, 1, PATIENCE_S)
    board.remove()
    await until(lambda: len(gateway.events_of("boot")) == 2, board)
    assert board.starts[1][0] is cause
    await until(lambda: bool(notes(gateway)), board)
    found = notes(gateway)
    assert found[0] == (1, Cause.POWER_ON.value)
    told = [value for code, value in found if code == 16]
    assert told[:2] == [sum(b"lock.changed"), sum(b"access.decision")]
    assert (7, 0) in found
    assert last in found[-8:]
    # It is told once, however often the board starts after that.
    before = len(gateway.events_of("flight"))
    await board.kill()
    await board.power_on()
    await until(lambda: len(gateway.events_of("boot")) == 3, board)
    assert len(gateway.events_of("flight")) == before


async def test_a_board_that_was_only_switched_off_tells_nothing(
    lab: Lab, port: int, gateway: ScriptedGateway
) -> None:
    board = await lab.start_board(profile(port), heap_kib=HEAP_KIB)
    await until(lambda: bool(gateway.boot and gateway.events), board)
    board.reset()
    await until(lambda: len(gateway.events_of("boot")) == 2, board)
    await board.kill()
    await board.power_on()
    await until(lambda: len(gateway.events_of("boot")) == 3, board)
    assert not gateway.events_of("flight")
