"""The heap that a door takes, which is what a board has least of. CONTRIBUTING says what to do when this fails."""

import asyncio

from scripted_gateway import ScriptedGateway, profile
from watching import until

from doorward_lab.lab import Lab

# In bytes of the 64-bit interpreter, without what stands in for the chip, rubbish collected. Runs differ by some 100,
# and there is a little to spare: about 600 bytes.
DOOR = 107_200
# What a door of the demo has beside the parts of every profile here.
SIGNS = {"led": {"r": 26, "g": 14, "active": 1}, "buzzer": {"pin": 13, "active": 1}}
ROOM_KIB = 160


async def test_a_door_takes_no_more_heap_than_it_did(
    lab: Lab, port: int, gateway: ScriptedGateway
) -> None:
    wired = profile(port)
    wired["pins"] = {**wired["pins"], **SIGNS}
    board = await lab.start_board(wired, heap_kib=ROOM_KIB)
    await until(lambda: bool(gateway.boot and gateway.events), board)
    await asyncio.sleep(2)  # its log is uploaded, and nothing is under way
    heap = await board.heap()
    assert heap.alloc - heap.shim <= DOOR, f"{heap.alloc - heap.shim} bytes"
