"""What 10,000 cards cost a door: heap, reads of its flash for a look-up, and time when it decides by itself."""

import asyncio
import shutil
from pathlib import Path
from statistics import median

import tap
from reporting import say

from doorward_core import records_build, seal
from doorward_lab import Lab, places
from doorward_lab.lab import DOOR_HEAP_KIB

FEW, MANY = 10, tap.CACHE_CARDS
TAPS = 60
SETTLE_S = 5.0
KIB = 1024
KEYS = seal.Keys("bench", bytes(32), 1)
# On the board: looks up cards that the file has, and says how many reads of the flash each was.
PROGRAM = """\
import sys
sys.path.insert(0, "/a")
from doorward_core import records, seal
from lab_parts.reading import flash_reads
keys = seal.Keys("bench", bytes(32), 1)
cache = records.Cache(open("/cards", "rb"), keys)
for number in range(0, {cards}, {cards} // 200):
    mark = seal.tag(keys, number.to_bytes(7, "big"))
    before = flash_reads()
    found = cache.lookup(mark)
    print("reads", flash_reads() - before if found else "none")
print("done")
"""


async def figures(directory: Path) -> dict[str, float]:
    """All three, of a door that is connected over mutual TLS until its gateway goes."""
    heap = {}
    taps: list[tuple[float, float]] = []
    for cards in (FEW, MANY):
        site = tap.ServedSite(directory / f"site-{cards}", cards)
        await site.start()
        try:
            async with Lab(directory / f"lab-{cards}") as lab:
                board = await lab.start_board(site.profile, heap_kib=DOOR_HEAP_KIB)
                await site.current()
                await asyncio.sleep(SETTLE_S)
                heap[cards] = (await board.heap()).alloc
                say(f"  {cards} cards: heap {heap[cards]}")
                if cards == MANY:
                    await site.stop()
                    await asyncio.sleep(2)
                    taps = [await tap.tap(board, site.card) for _ in range(TAPS)]
                    assert len(board.starts) == 1, "the board was reset; look at its log"
        finally:
            await site.stop()
    reads = await reads_of_a_look_up(directory)
    say(f"  reads of a look-up: median {median(reads)}, most {max(reads)}")
    return {
        "cache_extra_kib": round((heap[MANY] - heap[FEW]) / KIB, 2),
        "offline_p50_beyond_ms": tap.summary(taps)["p50_beyond_ms"],
        "cache_reads": median(reads),
        "cache_reads_most": max(reads),
    }


async def reads_of_a_look_up(directory: Path) -> list[int]:
    """How often a board reads its flash to find one card of many, for each of 200."""
    firmware = shutil.copytree(places.firmware(), directory / "reads")
    (firmware / "main.py").write_text(PROGRAM.format(cards=MANY))
    tags = [seal.tag(KEYS, number.to_bytes(7, "big")) for number in range(MANY)]
    persons = [(None, None, 0)] * 500
    cards = [(mark, place % 500, place % 3) for place, mark in enumerate(tags)]
    windows = [(group, 0, 127, 0, 1440) for group in range(3)]
    (firmware / "cards").write_bytes(records_build.build(KEYS, 1, 0, 0, 0, windows, persons, cards))
    async with Lab(directory / "lab-reads") as lab:
        board = await lab.start_board({"id": "reads"}, firmware=firmware, heap_kib=DOOR_HEAP_KIB)
        await board.wait_log("done", 60)
        words = [line.rpartition("reads ")[2] for line in board.log if "reads " in line]
    return [int(word) for word in words]
