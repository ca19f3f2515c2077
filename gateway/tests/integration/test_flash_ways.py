"""The ways into a board, and what stands in them: two tools, ports that reset it, chips without MicroPython."""

import asyncio
import os
import re
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flash_bench import Bench, options, running

from doorward.flash import FlashError, Job, chosen, listen, tools
from doorward.flash.scripts import HOLD_MS, PROBE, report
from doorward_lab import Board, Cause, Lab

pytestmark = pytest.mark.timeout(600)  # foreign tools, one process a step


@pytest.fixture
async def bench(lab: Lab, tmp_path: Path) -> Bench:
    board = await lab.start_board({"id": "usb"}, heap_kib=160, serial=True, flash_it=False)
    return Bench(board, tmp_path)


async def test_a_port_that_resets_the_board_is_left_to_ampy(bench: Bench) -> None:
    assert bench.board.serial is not None
    bench.board.serial.resets_on_open = True
    done = await bench.flash("0", tool=None)
    assert running(bench.board)[-1] == "0"
    assert done.files > 5
    assert "mpremote finds no way in" in bench.said


async def test_what_did_not_arrive_as_it_was_sent_is_sent_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = tools.Mpremote.run
    spoilt: list[str] = []

    def noisy(self: tools.Mpremote, *scripts: str, **how: object) -> str:
        """A cable that spoils what comes first in the slot, and then beside it, once each."""
        for name in ("/a/doorward_core/", "/main.py.usb"):
            if name not in spoilt and any(f"begin('{name}" in script for script in scripts):
                spoilt.append(name)
                scripts = tuple(re.sub(r"w\('....", "w('AAAA", script) for script in scripts)
        return sent(self, *scripts, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(tools.Mpremote, "run", noisy)
    await bench.flash("0")
    assert len(spoilt) == 2
    assert running(bench.board)[-1] == "0"
    assert bench.said.count("reading it back on the board") == 3


async def test_a_full_flash_is_told_before_anything_is_switched(bench: Bench) -> None:
    assert bench.board.serial is not None
    await bench.flash("0")
    fill = "import machine, os\nmachine.WDT(timeout=60000)\nleft = os.statvfs('/')[3] - 12\n"
    fill += "with open('/photos', 'w') as file:\n    for _ in range(left):\n        file.write('x' * 4096)\n"
    port = str(bench.board.serial.path)
    await asyncio.to_thread(tools.Mpremote(port).run, fill, fresh=True)
    with pytest.raises(FlashError, match=r"the board's flash is full: .* KiB are needed"):
        await bench.flash("1")
    bench.board.serial.unplug()
    await bench.starts("0")


async def test_a_board_that_does_not_fit_is_left_alone(lab: Lab, tmp_path: Path) -> None:
    board = await lab.start_board({"id": "old"}, heap_kib=160, serial="1.27.0", flash_it=False)
    bench = Bench(board, tmp_path)
    with pytest.raises(FlashError, match=r"MicroPython 1\.27\.0, which is too old"):
        await bench.flash("0")
    assert not await files(board)
    assert not bench.gateway.adoptions


async def test_a_board_of_another_name_is_made_this_one_only_when_that_is_said(
    bench: Bench,
) -> None:
    assert bench.board.serial is not None
    await bench.flash("0")
    port = str(bench.board.serial.path)
    leave = "with open('/log.0', 'w') as f: f.write('of the other one')\n"
    await asyncio.to_thread(tools.Mpremote(port).run, leave, fresh=True)
    with pytest.raises(FlashError, match="the board is cut; say --name cut"):
        await bench.flash("0", name="other")
    bench.gateway.name = "other"
    await bench.flash("0", name="other", again=True)
    there = await files(bench.board)
    assert "log.0" not in there
    assert "firmware.key" in there, "it came with the new keys"
    found = report(await asyncio.to_thread(tools.Mpremote(port).run, PROBE, fresh=True))
    assert found["config"]["id"] == "other"


async def files(board: Board) -> list[str]:
    assert board.serial is not None
    tool = tools.Mpremote(str(board.serial.path))
    found = report(await asyncio.to_thread(tool.run, PROBE, fresh=True))
    return [name for name in found["root"] if name != ".chip"]


async def test_the_watchdog_waits_for_the_cable_but_not_for_ever(bench: Bench) -> None:
    assert bench.board.serial is not None
    await bench.flash("0")
    tool = tools.Mpremote(str(bench.board.serial.path))
    await asyncio.to_thread(tool.run, PROBE, fresh=True)
    starts = len(bench.board.starts)
    await asyncio.sleep(4)  # the firmware's own period is 3 s
    assert len(bench.board.starts) == starts
    bench.board.log.clear()
    # Left alone in the middle, with power of its own, the board goes back to work.
    await asyncio.to_thread(tool.run, PROBE.replace(str(HOLD_MS), "1500"))
    await bench.board.wait_log("firmware 0", 10)
    assert bench.board.starts[-1][0] is Cause.WATCHDOG


# --- chips without MicroPython: a terminal that says what they say -------------------------------------------------


@contextmanager
def saying(words: bytes) -> Iterator[str]:
    """A port at which something says this over and over, and hears nothing."""
    master, slave = os.openpty()
    tty.setraw(slave)
    over = threading.Event()

    def say() -> None:
        while not over.wait(0.2):
            os.write(master, words)

    speaker = threading.Thread(target=say)
    speaker.start()
    try:
        yield os.ttyname(slave)
    finally:
        over.set()
        speaker.join()
        os.close(master)
        os.close(slave)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (b"invalid header: 0xffffffff\r\n", "blank"),
        (b"waiting for download\r\n", "download"),
        (b"WiFi connected\r\n", "other"),
        (b"", "silent"),
    ],
)
def test_what_is_at_a_port_without_a_prompt(words: bytes, what: str) -> None:
    with saying(words) as port:
        assert listen.why_no_prompt(port, 0.7) == what


def test_a_blank_chip_is_told_with_the_exact_commands(tmp_path: Path) -> None:
    class Nobody:
        def boards(self) -> list[dict[str, Any]]:
            return []

        def adopt(self, *_: object, **__: object) -> dict[str, Any]:
            raise AssertionError("keys for a board that cannot take them")

    with saying(b"invalid header: 0xffffffff\r\n") as port:
        wanted = options(tmp_path, "0")
        job = Job(wanted, port, chosen(port, "ampy"), Nobody(), lambda _: None, lambda *_: None)
        with pytest.raises(FlashError) as error:
            job.run()
    assert "the chip is blank" in error.value.problem
    assert f"esptool --chip esp32 --port {port} erase-flash && esptool" in error.value.remedy
    assert "write-flash 0x1000 ESP32_GENERIC-DATE-v1.28.0.bin" in error.value.remedy
