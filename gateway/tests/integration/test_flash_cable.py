"""The cable is pulled while a board is flashed: it always starts a whole firmware, and the next run finishes the job.

The firmware is a small one with the real loader and the real installer; the tools are the real ones. It says which
version it is when it starts, and a gateway that only counts heartbeats hears that.
"""

import os
import random
from pathlib import Path

import pytest
from flash_bench import NAME, Bench, running

from doorward.errors import DoorwardError
from doorward_lab import Lab

pytestmark = pytest.mark.timeout(600)  # foreign tools, one process a step

SEED = int(os.environ.get("DOORWARD_FLASH_SEED", "5"))
CUTS = int(os.environ.get("DOORWARD_FLASH_CUTS", "5"))


@pytest.fixture
async def bench(lab: Lab, tmp_path: Path) -> Bench:
    board = await lab.start_board({"id": "usb"}, heap_kib=160, serial=True, flash_it=False)
    return Bench(board, tmp_path)


async def test_pulled_at_any_byte_a_board_starts_a_whole_firmware(bench: Bench) -> None:
    board, serial = bench.board, bench.board.serial
    assert serial is not None
    await bench.flash("0")
    serial.unplug()
    await bench.starts("0")
    first = await bench.flash("1")
    assert (first.slot, running(board)[-1]) == ("b", "1")
    whole = serial.received
    assert first.bytes > 5000
    places = random.Random(SEED)
    for number in range(CUTS):
        old, new = str(number + 1), str(number + 2)
        serial.unplug_after(1 + whole * number // CUTS + places.randrange(whole // CUTS))
        with pytest.raises(DoorwardError):
            await bench.flash(new)
        await bench.starts(old, new)
        done = await bench.flash(new)
        assert (done.version, running(board)[-1]) == (new, new)
        serial.unplug()
        await bench.starts(new)
    assert bench.gateway.adoptions == 1


async def test_pulled_while_ampy_writes_a_board_starts_a_whole_firmware(bench: Bench) -> None:
    """Ampy is what is left where a port resets the board: it has one connection for each file, and another protocol."""
    serial = bench.board.serial
    assert serial is not None
    await bench.flash("0")
    serial.unplug()
    await bench.starts("0")
    await bench.flash("1", tool="ampy")
    whole = serial.received
    assert whole > 5000
    serial.unplug()
    await bench.starts("1")
    # Somewhere in its middle: what comes last is a start, and what comes first a look.
    serial.unplug_after(whole // 4 + random.Random(SEED).randrange(whole // 2))
    with pytest.raises(DoorwardError) as stopped:
        await bench.flash("2", tool="ampy")
    assert "\n" not in stopped.value.message
    await bench.starts("1", "2")
    done = await bench.flash("2")
    assert (done.version, running(bench.board)[-1]) == ("2", "2")
    assert bench.gateway.adoptions == 1


async def test_pulled_at_its_first_flash_a_board_loses_no_keys(bench: Bench) -> None:
    serial = bench.board.serial
    assert serial is not None
    for at in (2_000, 9_000, 20_000):
        serial.unplug_after(at)
        with pytest.raises(DoorwardError):
            await bench.flash("0")
        assert await bench.board.wait_cut(5)
        await bench.board.power_on()
    waiting = bench.folder / "state" / NAME
    assert bench.gateway.adoptions == 1
    assert (waiting / "config.json").stat().st_mode & 0o777 == 0o600
    assert waiting.stat().st_mode & 0o777 == 0o700
    done = await bench.flash("0")
    assert running(bench.board)[-1] == "0"
    assert done.files > 0
    assert bench.gateway.adoptions == 1, "the keys of the first run are the board's"
    assert not waiting.exists()
