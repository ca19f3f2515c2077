"""A board's life: boot, pins, watchdog, resets, flash; the programs are small stand-ins for firmware."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from lab_profiles import CONTACT, STRIKE, profile
from watching import PATIENCE_S

from doorward_lab import Board, BoardFailed, Cause, Fault, Lab, SiteError

Program = Callable[..., Path]

IDLE = """
import time
while True:
    time.sleep_ms(5)
"""

# Releases the strike for as long as the chip answers WUPA.
READER = """
import time
from machine import Pin, SPI
strike = Pin(25, Pin.OUT, value=0)
cs, rst = Pin(21, Pin.OUT, value=1), Pin(22, Pin.OUT, value=1)
spi = SPI(2, baudrate=1_000_000, sck=Pin(18), mosi=Pin(23), miso=Pin(19))
pair = bytearray(2)
def write(register, value):
    cs(0); spi.write(bytes((register << 1, value))); cs(1)
def read(register):
    cs(0); spi.write_readinto(bytes((0x80 | register << 1, 0)), pair); cs(1)
    return pair[1]
def wake():
    for register, value in ((1, 0), (4, 0x7F), (0x0A, 0x80), (9, 0x52), (1, 12), (0x0D, 0x87)):
        write(register, value)
    while not read(4) & 0x21:
        pass
    return read(4) & 0x20
for register, value in ((0x2A, 0x80), (0x2B, 0xA9), (0x2D, 0x28), (0x15, 0x40), (0x14, 0x83)):
    write(register, value)
while True:
    strike(1 if wake() else 0)
    write(0x14, 0x80); write(0x14, 0x83)
    time.sleep_ms(10)
"""


async def test_a_tap_moves_the_strike_and_is_stamped(lab: Lab, program: Program) -> None:
    board = await lab.start_board(profile(), firmware=program(main=READER))
    entered = board.present("04a1b2c3")
    edge = await board.wait_edge(STRIKE, 1, PATIENCE_S)
    assert edge.seen_ns is not None
    # One clock on both sides: the poll began after the card came and before the edge arrived.
    assert entered - 20_000_000 < edge.seen_ns < edge.at_ns
    assert edge.seen_ns == board.seen[-1]
    left = board.remove()
    await board.wait_edge(STRIKE, 0, PATIENCE_S, since_ns=left)


async def test_a_poll_that_moves_nothing_is_told_too(lab: Lab, program: Program) -> None:
    main = READER.replace("strike(1 if wake() else 0)", "wake()")
    board = await lab.start_board(profile(), firmware=program(main=main))
    await board.tap("04112233445566", hold_ms=100)
    await asyncio.sleep(0.2)
    assert len(board.seen) == 1
    assert [edge.level for edge in board.edges] == [0]


async def test_faults_of_the_reader(lab: Lab, program: Program) -> None:
    main = READER.replace("while not read(4) & 0x21:\n        pass", "time.sleep_ms(5)")
    board = await lab.start_board(profile(), firmware=program(main=main))
    board.present("04a1b2c3")
    await board.wait_edge(STRIKE, 1, PATIENCE_S)
    for fault in (Fault.FROZEN, Fault.DEAD):
        broken = board.set_reader(fault)
        await board.wait_edge(STRIKE, 0, PATIENCE_S, since_ns=broken)
        repaired = board.set_reader(Fault.NONE)
        await board.wait_edge(STRIKE, 1, PATIENCE_S, since_ns=repaired)


async def test_contact_is_heard_while_the_reader_is_idle(lab: Lab, program: Program) -> None:
    main = "import time\nfrom machine import Pin\nc = Pin(32, Pin.IN, Pin.PULL_UP)\nout = Pin(26, Pin.OUT)\n"
    main += "while True:\n    out(c())\n    time.sleep_ms(5)\n"
    board = await lab.start_board(profile(), firmware=program(main=main))
    assert board.contact_open is False
    board.set_contact(True)
    await board.wait_edge(26, 1, PATIENCE_S)
    board.set_contact(False)
    await board.wait_edge(26, 0, PATIENCE_S)
    with pytest.raises(SiteError, match="no door contact"):
        (await lab.start_board({"id": "bare"}, firmware=program(main=IDLE))).set_contact(True)


async def test_an_interrupt_handler_runs_at_the_next_touch_of_the_chip(
    lab: Lab, program: Program
) -> None:
    main = (
        "import time\nfrom machine import Pin, WDT\nout = Pin(26, Pin.OUT)\nc = Pin(32, Pin.IN)\n"
    )
    main += (
        "c.irq(lambda pin: out(pin()), Pin.IRQ_RISING | Pin.IRQ_FALLING)\nw = WDT(timeout=5000)\n"
    )
    main += "while True:\n    w.feed()\n    time.sleep_ms(5)\n"
    board = await lab.start_board(profile(), firmware=program(main=main))
    board.set_contact(True)
    await board.wait_edge(26, 1, PATIENCE_S)


async def test_the_trace_of_a_boot_safe_program_has_no_glitch(lab: Lab, program: Program) -> None:
    boot = "from machine import Pin\nPin(25, Pin.OUT, value=1)\n"
    main = "from machine import Pin\nPin(25, Pin.OUT, value=1)\n" + IDLE
    board = await lab.start_board(profile(), firmware=program(boot=boot, main=main))
    await board.wait_edge(25, 1, PATIENCE_S)
    board.reset()
    floating = await board.wait_edge(25, None, PATIENCE_S)
    await board.wait_edge(25, 1, PATIENCE_S, since_ns=floating.at_ns)
    await asyncio.sleep(0.2)
    assert [(edge.pin, edge.level) for edge in board.edges] == [(25, 1), (25, None), (25, 1)]


async def test_the_trace_shows_a_glitch_of_an_unsafe_program(lab: Lab, program: Program) -> None:
    main = "from machine import Pin\np = Pin(25, Pin.OUT)\np.value(1)\n" + IDLE
    board = await lab.start_board(profile(), firmware=program(main=main))
    await board.wait_edge(25, 1, PATIENCE_S)
    assert [edge.level for edge in board.edges] == [0, 1]


async def test_a_pin_can_stop_driving_and_be_found_again(lab: Lab, program: Program) -> None:
    main = "from machine import Pin\np = Pin(26, Pin.OUT, value=1)\np.init(Pin.IN)\nprint(Pin(26) is p)\n"
    board = await lab.start_board(profile(), firmware=program(main=main + IDLE))
    await board.wait_log("True", PATIENCE_S)
    assert [edge.level for edge in board.edges] == [1, None]


async def test_pins_that_an_esp32_lacks_are_refused(lab: Lab, program: Program) -> None:
    main = "from machine import Pin\nfor id, mode in ((24, 1), (40, 1), (34, 3)):\n"
    main += "    try:\n        Pin(id, mode)\n    except ValueError as e:\n        print(id, e)\n"
    board = await lab.start_board(profile(), firmware=program(main=main))
    await board.wait_log("the program has ended", PATIENCE_S)
    assert list(board.log)[:3] == ["24 invalid pin", "40 invalid pin", "34 pin can only be input"]


async def test_the_watchdog_bites_a_hang_and_says_so_at_the_next_start(
    lab: Lab, program: Program
) -> None:
    main = "from machine import Pin, WDT, reset_cause\nPin(25, Pin.OUT, value=1)\nprint('cause', reset_cause())\n"
    main += "if reset_cause() == 1:\n    WDT(timeout=300)\nwhile True:\n    pass\n"
    board = await lab.start_board(profile(), firmware=program(main=main))
    await board.wait_log("cause 3", PATIENCE_S)
    (first, began), (second, ended) = board.starts
    assert (first, second) == (Cause.POWER_ON, Cause.WATCHDOG)
    assert ended - began >= 300_000_000
    # The relay is released by the reset itself, before any code runs.
    assert [edge.level for edge in board.edges] == [1, None, 1]


async def test_a_fed_watchdog_does_not_bite(lab: Lab, program: Program) -> None:
    main = "import time\nfrom machine import WDT\nw = WDT(timeout=200)\nfor _ in range(60):\n"
    main += "    w.feed()\n    time.sleep_ms(10)\nprint('alive')\nwhile True:\n    pass\n"
    board = await lab.start_board(profile(), firmware=program(main=main))
    await board.wait_log("alive", PATIENCE_S)
    await _started(board, 2)
    assert board.starts[1][1] - board.starts[0][1] > 700_000_000


@pytest.mark.parametrize(
    ("call", "cause"),
    [("machine.reset()", 2), ("machine.soft_reset()", 5), ("raise SystemExit", 5)],
)
async def test_a_reset_never_returns_and_tells_its_cause(
    lab: Lab, program: Program, call: str, cause: int
) -> None:
    main = "import machine\nif machine.reset_cause() != 1:\n    print('cause', machine.reset_cause())\n"
    main += _indent(IDLE)
    main += f"try:\n    {call}\nexcept Exception:\n    pass\nprint('went on')\n"
    board = await lab.start_board(profile(), firmware=program(main=main))
    await board.wait_log(f"cause {cause}", PATIENCE_S)
    assert "went on" not in board.log


async def test_files_outlive_resets_power_cuts_and_the_lab(
    tmp_path: Path, cache: Path, program: Program
) -> None:
    main = "import os\nn = int(open('/n').read()) + 1 if 'n' in os.listdir('/') else 1\n"
    main += "with open('/n', 'w') as f:\n    f.write(str(n))\nprint('boot', n)\n" + IDLE
    firmware = program(main=main, old="X = 1\n")
    async with Lab(tmp_path / "lab", cache=cache) as lab:
        board = await lab.start_board(profile(), firmware=firmware)
        await board.wait_log("boot 1", PATIENCE_S)
        board.reset()
        await board.wait_log("boot 2", PATIENCE_S)
        await board.kill()
        assert board.pid is None
        await board.power_on()
        await board.wait_log("boot 3", PATIENCE_S)
    # New firmware: its code replaces the old, the data stays.
    (firmware / "old.py").unlink()
    program(main=main.replace("'boot', n", "'boot', n, os.listdir('/')"), new="Y = 2\n")
    async with Lab(tmp_path / "lab", cache=cache) as lab:
        board = await lab.start_board(profile(), firmware=firmware)
        line = await board.wait_log("boot 4", PATIENCE_S)
        assert "new.mpy" in line
        assert "old.mpy" not in line
        assert "config.json" in line


async def test_an_unwritten_file_is_lost_with_the_power(lab: Lab, program: Program) -> None:
    main = (
        "import os, machine\nif 'f' in os.listdir('/'):\n    print('size', os.stat('/f')[6])\n"
        + _indent(IDLE)
    )
    main += "\nf = open('/f', 'w')\nf.write('x' * 100)\nmachine.reset()\n"
    board = await lab.start_board(profile(), firmware=program(main=main))
    await board.wait_log("size 0", PATIENCE_S)


async def test_modules_run_as_mpy_and_know_the_chip(lab: Lab, program: Program) -> None:
    main = "import part\nprint(part.__file__, part.ok)\n"
    part = "import machine, network, esp32\nw = network.WLAN(network.STA_IF)\nw.active(True)\nw.connect('s', 'k')\n"
    part += "while not w.isconnected():\n    pass\n"
    part += "ok = w.status() == 1010 and len(machine.unique_id()) == 6 and machine.freq() > 0\n"
    board = await lab.start_board(profile(), firmware=program(main=main, part=part))
    assert await board.wait_log("part", PATIENCE_S) == "part.mpy True"


async def test_the_heap_is_measured_with_the_shim_apart(lab: Lab, program: Program) -> None:
    main = "import time\nfrom machine import WDT\nb = bytearray(8192)\nw = WDT()\n"
    main += "while True:\n    w.feed()\n    time.sleep_ms(5)\n"
    board = await lab.start_board(profile(), firmware=program(main=main), heap_kib=48)
    heap = await board.heap()
    assert 8192 < heap.alloc - heap.shim < 8192 + 4096
    assert heap.shim <= 19 * 1024  # with the table of names that it has from the start
    assert 46 * 1024 < heap.total <= 48 * 1024


async def test_a_board_without_room_says_so(lab: Lab, program: Program) -> None:
    with pytest.raises(BoardFailed, match=r"front ended before its program began.*[Mm]emory"):
        await lab.start_board(profile(), firmware=program(main=IDLE), heap_kib=12)
    assert not lab.boards


async def test_what_a_board_prints_is_kept(lab: Lab, program: Program) -> None:
    main = "print('one')\nprint('two', end='')\nraise ValueError('three')\n"
    board = await lab.start_board(profile(), firmware=program(main=main))
    await board.wait_log("the program has ended", PATIENCE_S)
    assert board.log[0] == "one"
    assert "ValueError: three" in board.log
    assert "ValueError: three" in (lab.directory / "logs" / "front.log").read_text()


async def test_a_process_that_dies_is_started_again(lab: Lab, program: Program) -> None:
    main = "import machine\nif machine.reset_cause() == 2:\n    print('started')\n"
    board = await lab.start_board(profile(), firmware=program(main=main + IDLE))
    pid = board.pid
    assert pid is not None
    os.kill(pid, 9)
    await _started(board, 2)
    assert board.starts[1][0] is Cause.HARD
    await board.wait_log("started", PATIENCE_S)
    assert board.pid not in {None, pid}


async def test_a_card_and_an_open_door_outlive_a_reset(lab: Lab, program: Program) -> None:
    main = READER.replace(
        "while True:\n    strike",
        "contact = Pin(32, Pin.IN)\nprint('open', contact())\nwhile True:\n    strike",
    )
    board = await lab.start_board(profile(), firmware=program(main=main))
    board.set_contact(True)
    board.present("04a1b2c3")
    await board.wait_edge(STRIKE, 1, PATIENCE_S)
    cut = time.monotonic_ns()
    board.reset()
    await board.wait_edge(STRIKE, None, PATIENCE_S, since_ns=cut)
    await board.wait_edge(STRIKE, 1, PATIENCE_S, since_ns=cut)
    await board.wait_log("open 1", PATIENCE_S)


async def test_a_wait_that_fails_tells_what_the_board_said_last(lab: Lab, program: Program) -> None:
    board = await lab.start_board(profile(), firmware=program(main="print('hello')\n" + IDLE))
    await board.wait_log("hello", PATIENCE_S)
    with pytest.raises(TimeoutError, match=f"pin {CONTACT} of front did not go to 1.*hello"):
        await board.wait_edge(CONTACT, 1, timeout=0.05)


def _indent(source: str) -> str:
    return "".join("    " + line + "\n" for line in source.strip().splitlines())


async def _started(board: Board, times: int) -> None:
    async with asyncio.timeout(5):
        while len(board.starts) < times:  # noqa: ASYNC110 - a test may poll
            await asyncio.sleep(0.01)


COUNTING = """
import time
from machine import Pin
while True:
    try:
        with open("/count") as file:
            count = int(file.read())
    except (OSError, ValueError):
        count = 0
    with open("/count", "w") as file:
        file.write(str(count + 1))
    print("count", count + 1)
    Pin(32, Pin.IN)()
    time.sleep_ms(20)
"""


async def test_the_power_can_go_at_an_operation_of_the_flash(lab: Lab, program: Program) -> None:
    board = await lab.start_board(profile(), firmware=program(main=COUNTING))
    await board.wait_log("count 3", PATIENCE_S)
    board.cut_at_flash(1)
    assert await board.wait_cut(PATIENCE_S)
    assert not board.is_on
    assert board.pid is None
    last = int(board.log[-1].split()[1])
    board.log.clear()
    await board.power_on()
    await board.wait_log("count", PATIENCE_S)
    # LittleFS: the last one that was closed, or the one after it.
    assert int(board.log[0].split()[1]) in (last + 1, last + 2)
    assert not await board.wait_cut(0.1)
    assert [cause for cause, _ in board.starts] == [Cause.POWER_ON, Cause.POWER_ON]
