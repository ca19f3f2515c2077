"""The drivers on whole virtual boards: cards, keys, buttons and bolts moved from outside, pins as the witness."""

import asyncio
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from watching import until

from doorward_lab import Board, Fault, Lab, SiteError, places
from doorward_lab.readers import wiegand_frame

Flash = Callable[[str], Path]

PATIENCE_S = 20.0
STRIKE = {"pin": 25, "active": 1}
PN532_SPI = {"driver": "pn532", "bus": "spi", "spi": 2, "sck": 18, "mosi": 23, "miso": 19, "cs": 5}
PN532_I2C = {"driver": "pn532", "bus": "i2c", "i2c": 0, "sda": 21, "scl": 22}
WIEGAND = {"driver": "wiegand", "d0": 18, "d1": 19}
KEYPAD = {"driver": "matrix", "rows": [13, 14, 26, 27], "cols": [32, 33, 4], "keys": "123456789*0#"}

# Makes what config.json names, and prints what comes of it.
START = """
import asyncio, json
from time import ticks_ms
import doorward_drivers
with open("/config.json") as file:
    pins = json.load(file)["pins"]
def part(driver, name):
    return doorward_drivers.make(driver, pins[name])
"""

READ = (
    START
    + """
from machine import WDT
from doorward_node.reader import ReaderWatch
strike = part("strike", "strike")
reader = part(pins["reader"]["driver"], "reader")
async def release():
    strike.energise()
    await asyncio.sleep_ms(100)
    strike.de_energise()
def on_card(uid):
    print("card", uid.hex())
    asyncio.create_task(release())
watch = ReaderWatch(reader, 25, on_card, lambda count: print("reset", count))
async def keys():
    watchdog = WDT(timeout=30000)
    while True:
        watchdog.feed()
        key = reader.sample() if hasattr(reader, "sample") else None
        if key:
            print("key", key)
        await asyncio.sleep_ms(10)
async def main():
    asyncio.create_task(keys())
    await watch.run()
asyncio.run(main())
"""
)


@pytest.fixture
def flash(program: Callable[..., Path]) -> Flash:
    """A firmware folder with our drivers and a program of the test's."""

    def write(main: str) -> Path:
        folder = program(main='import sys\nsys.path.insert(0, "/a")\n' + main)
        for package in ("doorward_core", "doorward_drivers", "doorward_node"):
            shutil.copytree(
                places.firmware() / package,
                folder / package,
                ignore=shutil.ignore_patterns("*pyc*"),
            )
        return folder

    return write


async def start(lab: Lab, flash: Flash, main: str, **pins: Any) -> Board:
    return await lab.start_board({"id": "front", "pins": pins}, firmware=flash(main))


def times(board: Board, line: str) -> int:
    return list(board.log).count(line)


@pytest.mark.parametrize(
    "reader",
    [PN532_SPI, {**PN532_I2C, "irq": 4}, {**PN532_SPI, "irq": 4, "rst": 27}],
    ids=["spi", "i2c-irq", "spi-irq-reset"],
)
async def test_a_card_at_a_pn532_moves_the_strike(lab: Lab, flash: Flash, reader: Any) -> None:
    board = await start(lab, flash, READ, reader=reader, strike=STRIKE)
    for uid in ("04a1b2c3", "04112233445566", "04112233445566778899"):
        entered = board.present(uid)
        edge = await board.wait_edge(25, 1, PATIENCE_S)
        assert edge.seen_ns is not None
        assert entered < edge.seen_ns < edge.at_ns
        board.remove()
        await board.wait_edge(25, 0, PATIENCE_S, since_ns=edge.at_ns)
        await until(lambda uid=uid: times(board, f"card {uid}") == 1, board)


async def test_a_pn532_that_fails_is_brought_back_and_counted(lab: Lab, flash: Flash) -> None:
    reader = {**PN532_SPI, "irq": 4, "rst": 27}
    board = await start(lab, flash, READ, reader=reader, strike=STRIKE)
    board.present("04a1b2c3")
    await board.wait_edge(25, 1, PATIENCE_S)
    board.remove()
    for count, fault in enumerate((Fault.FROZEN, Fault.DEAD, Fault.BROWN_OUT), start=1):
        broken = board.set_reader(fault)
        if fault is Fault.DEAD:
            await asyncio.sleep(2.5)  # it asks a silent chip once a second
            board.set_reader(Fault.NONE)
        await board.wait_log(f"reset {count}", PATIENCE_S)
        board.present("04a1b2c3")
        await board.wait_edge(25, 1, PATIENCE_S, since_ns=broken)
        board.remove()
        await until(lambda count=count: times(board, "card 04a1b2c3") == count + 1, board)


async def test_noise_on_the_wires_costs_no_tap(lab: Lab, flash: Flash) -> None:
    board = await start(lab, flash, READ, reader={**PN532_SPI, "irq": 4}, strike=STRIKE)
    board.present("04a1b2c3")
    edge = await board.wait_edge(25, 1, PATIENCE_S)
    board.remove()
    await board.wait_edge(25, 0, PATIENCE_S, since_ns=edge.at_ns)
    board.set_reader(Fault.NOISE)
    again = board.present("04112233445566")
    await board.wait_edge(25, 1, PATIENCE_S, since_ns=again)


@pytest.mark.parametrize(("bits", "number"), [(34, "04a1b2c3"), (26, "0004a1b2")])
async def test_a_wiegand_reader_and_its_keys(
    lab: Lab, flash: Flash, bits: int, number: str
) -> None:
    board = await start(lab, flash, READ, reader={**WIEGAND, "bits": bits}, strike=STRIKE)
    board.present("04a1b2c3")
    await board.wait_edge(25, 1, PATIENCE_S)
    board.remove()
    assert times(board, f"card {number}") == 1
    board.present("04a1b2c3", bcc_xor=1)
    await asyncio.sleep(0.3)  # frames are apart in time, or they are one
    # A board that was away for a while: what was typed meanwhile comes to it as it was typed.
    assert board.pid is not None
    os.kill(board.pid, signal.SIGSTOP)
    typing = asyncio.create_task(board.type_keys("0*#7", hold_ms=40))
    await asyncio.sleep(0.4)
    os.kill(board.pid, signal.SIGCONT)
    await typing
    await board.wait_log("key 7", PATIENCE_S)
    assert [line[4:] for line in board.log if line.startswith("key")] == list("0*#7")
    assert times(board, f"card {number}") == 1
    assert not any("Error" in line for line in board.log)
    with pytest.raises(SiteError, match="there is no key 'A'"):
        board.hold_keys("A")


def test_the_labs_own_wiegand_frames() -> None:
    # Facility 1, card 1: the example that every manual of such a reader has.
    assert wiegand_frame(b"\x01\x00\x01") == "10000000100000000000000010"


PARTS = (
    START
    + """
keypad, rex, tamper = part("keypad", "keypad"), part("debounce", "rex"), part("debounce", "tamper")
pir, lamp, padlock = part("pir", "pir"), part("lamp", "lamp"), part("padlock", "padlock")
print("parts are ready")
async def main():
    typed = ""
    while True:
        now = ticks_ms()
        key = keypad.sample()
        if key:
            typed += key
            if key == "#":
                print("typed", typed)
                (padlock.unlock if typed == "0042#" else padlock.lock)(now)
                typed = ""
        for name, switch in (("rex", rex), ("tamper", tamper)):
            if switch.sample():
                print(name, switch.on)
        if pir.sample(now):
            lamp.set(100 if pir.on else 0, now, 200)
        lamp.tick(now)
        if padlock.sample(now):
            print("bolt", padlock.state)
        await asyncio.sleep_ms(25)
asyncio.run(main())
"""
)


async def test_keys_buttons_motion_and_bolt(lab: Lab, flash: Flash) -> None:
    switch = {"pin": 39, "locked": 0, "pull": "none"}
    servo = {"driver": "servo", "pin": 16, "locked_us": 1000, "unlocked_us": 2000, "move_ms": 300}
    board = await start(
        lab,
        flash,
        PARTS,
        keypad=KEYPAD,
        rex={"pin": 34, "active": 0, "pull": "none"},
        tamper={"pin": 35, "active": 1, "pull": "none"},
        pir={"pin": 36, "active": 1, "pull": "none", "warm_s": 0, "hold_s": 1},
        lamp={"pin": 17, "active": 1, "hz": 4000, "least": 260},
        padlock={**servo, "switch": switch},
    )
    await board.wait_log("parts are ready", PATIENCE_S)
    await board.press("rex")
    await board.wait_log("rex False", PATIENCE_S)
    assert (times(board, "rex True"), times(board, "tamper True")) == (1, 0)
    board.set_switch("tamper", True)
    await board.wait_log("tamper True", PATIENCE_S)

    board.set_switch("pir", True)
    await until(lambda: lit(board) > 65000, board)
    board.set_switch("pir", False)
    await until(lambda: lit(board) == 0, board)
    fade = [duty.duty for duty in board.duties if duty.pin == 17]
    assert fade[0] == 0
    assert len(fade) > 6, "it jumped"

    await board.type_keys("0042#")
    await board.wait_log("bolt unlocked", PATIENCE_S)
    assert times(board, "typed 0042#") == 1
    await until(lambda: [duty.duty for duty in board.duties if duty.pin == 16][-1] == 0, board)
    board.set_jam(True)
    await board.type_keys("#")
    await board.wait_log("bolt jammed", PATIENCE_S)
    board.set_jam(False)
    await board.type_keys("#")
    await board.wait_log("bolt locked", PATIENCE_S)
    assert board.set_switch("tamper", False)
    assert not any("Error" in line for line in board.log)


def lit(board: Board) -> int:
    return [duty.duty for duty in board.duties if duty.pin == 17][-1]


async def test_a_key_is_held_until_a_slow_board_has_seen_it(lab: Lab, flash: Flash) -> None:
    main = START + "import time\nkeypad = part('keypad', 'keypad')\n"
    main += "while True:\n    key = keypad.sample()\n    if key:\n        print('key', key)\n"
    board = await start(lab, flash, main + "    time.sleep_ms(150)\n", keypad=KEYPAD)
    await board.type_keys("122#", hold_ms=50)
    await board.wait_log("key #", PATIENCE_S)
    assert [line[4:] for line in board.log if line.startswith("key")] == list("122#")


async def test_what_is_pressed_outlives_a_reset(lab: Lab, flash: Flash) -> None:
    main = "import time\nfrom machine import Pin\np = Pin(34, Pin.IN)\nr = Pin(13, Pin.OPEN_DRAIN, value=0)\n"
    main += "c = Pin(32, Pin.IN, Pin.PULL_UP)\ntime.sleep_ms(50)\nprint('rex', p(), 'key', c())\n"
    board = await start(lab, flash, main, rex={"pin": 34, "active": 0}, keypad=KEYPAD)
    await board.wait_log("rex 1 key 1", PATIENCE_S)
    board.set_switch("rex", True)
    board.hold_keys("1")
    board.reset()
    await board.wait_log("rex 0 key 0", PATIENCE_S)


async def test_an_interrupt_handler_that_allocates_is_named_in_the_log(
    lab: Lab, flash: Flash
) -> None:
    main = "import time\nfrom machine import Pin, WDT\nw = WDT(timeout=5000)\nc = Pin(34, Pin.IN)\ngot = []\n"
    main += "c.irq(lambda pin: got.append(bytearray(9)), Pin.IRQ_FALLING)\n"
    main += "while True:\n    w.feed()\n    time.sleep_ms(5)\n"
    board = await start(lab, flash, main, rex={"pin": 34, "active": 0})
    await board.press("rex", hold_ms=50)
    await board.wait_log("heap is locked", PATIENCE_S)


async def test_what_a_board_does_not_have_cannot_be_moved(lab: Lab, flash: Flash) -> None:
    board = await start(lab, flash, "import time\nwhile True:\n    time.sleep_ms(5)\n")
    for wrong, words in (
        (lambda: board.set_switch("rex", True), "no rex; give it pins.rex"),
        (
            lambda: board.set_switch("door", True),
            "part is 'door'; give one of rex, tamper, button, pir",
        ),
        (lambda: board.hold_keys("1"), "no keys; give it pins.keypad"),
        (lambda: board.set_jam(True), "no padlock; give it pins.padlock"),
    ):
        with pytest.raises(SiteError, match=words):
            wrong()


@pytest.mark.parametrize(("chip", "good", "bad"), [("esp32-s3", 48, 24), ("esp32-c3", 21, 22)])
async def test_other_chips_have_other_pins(
    lab: Lab, program: Callable[..., Path], chip: str, good: int, bad: int
) -> None:
    main = f"from machine import Pin\nPin({good}, Pin.OUT, value=1)\n"
    main += f"try:\n    Pin({bad}, Pin.OUT)\nexcept ValueError as e:\n    print(e)\n"
    profile = {"id": "front", "chip": chip, "pins": {}}
    board = await lab.start_board(profile, firmware=program(main=main))
    await board.wait_log("invalid pin", PATIENCE_S)
    assert board.levels == {good: 1}
