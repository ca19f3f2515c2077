"""The whole board with another reader or another lock: the same firmware, and nothing loaded that it does not need."""

import time
from typing import Any

import pytest
from scripted_gateway import ScriptedGateway, profile
from watching import until

from doorward_lab import Board, Fault, Lab

STRIKE = 25
UID = bytes.fromhex("04a1b2c3")
HEAP_KIB = 144
PATIENCE_S = 20.0
WRAP_S = 6.0
MFRC522 = {"spi": 2, "sck": 18, "mosi": 23, "miso": 19, "cs": 21, "rst": 22}
PN532_SPI = {"driver": "pn532", "bus": "spi", **MFRC522, "irq": 34}
PN532_I2C = {"driver": "pn532", "bus": "i2c", "i2c": 0, "sda": 21, "scl": 22}
WIEGAND = {"driver": "wiegand", "d0": 18, "d1": 19}
DRIVERS = {
    "mfrc522": (MFRC522, {"mfrc522"}),
    "pn532-spi": (PN532_SPI, {"pn532", "pn532_spi"}),
    "pn532-i2c": (PN532_I2C, {"pn532", "pn532_i2c"}),
    "wiegand": (WIEGAND, {"wiegand"}),
}
EVERY_DOOR = {"strike", "contact", "debounce"}


@pytest.fixture
def gateway(gateway: ScriptedGateway) -> ScriptedGateway:
    gateway.cards = {UID}
    return gateway


async def start(lab: Lab, port: int, gateway: ScriptedGateway, **pins: Any) -> Board:
    config = profile(port)
    config["pins"].update(pins)
    board = await lab.start_board(config, heap_kib=HEAP_KIB)
    await until(lambda: bool(gateway.boot and gateway.events), board)
    return board


def levels(board: Board) -> list[int]:
    return [edge.level for edge in board.edges if edge.pin == STRIKE and edge.level is not None]


def failures(board: Board) -> list[str]:
    return [line for line in board.log if "Error" in line or line.startswith("lab:")]


@pytest.mark.parametrize("name", DRIVERS)
async def test_a_card_opens_at_every_reader(
    lab: Lab, port: int, gateway: ScriptedGateway, name: str
) -> None:
    reader, loaded = DRIVERS[name]
    board = await start(lab, port, gateway, reader=reader)
    for taps in (1, 2):
        since = board.present(UID)
        await board.wait_edge(STRIKE, 1, PATIENCE_S, since_ns=since)
        board.remove()
        await board.wait_edge(STRIKE, 0, PATIENCE_S, since_ns=since)
        await until(lambda taps=taps: len(gateway.events_of("access.decision")) == taps, board)
    assert levels(board) == [0, 1, 0, 1, 0]
    found = {module for module in await board.modules() if module.startswith("doorward_drivers.")}
    assert found == {"doorward_drivers." + module for module in EVERY_DOOR | loaded}
    assert not failures(board)


async def test_a_pn532_that_froze_is_brought_back_and_said_so(
    lab: Lab, port: int, gateway: ScriptedGateway
) -> None:
    board = await start(lab, port, gateway, reader=PN532_SPI)
    board.set_reader(Fault.FROZEN)
    await until(lambda: bool(gateway.events_of("reader.reset")), board)
    board.present(UID)
    await board.wait_edge(STRIKE, 1, PATIENCE_S)


async def test_ticks_that_wrap_change_nothing(
    lab: Lab, port: int, gateway: ScriptedGateway
) -> None:
    # An ESP32's do every 12.4 days: this board's a few seconds after its start, with taps before, while and after.
    started = time.monotonic()
    board = await lab.start_board(
        profile(port), heap_kib=HEAP_KIB, ticks_ms=(1 << 30) - round(WRAP_S * 1000)
    )
    await until(lambda: bool(gateway.boot and gateway.events), board)
    taps = 0
    while time.monotonic() - started < WRAP_S + 6:
        since = board.present(UID)
        edge = await board.wait_edge(STRIKE, 1, PATIENCE_S, since_ns=since)
        board.remove()
        off = await board.wait_edge(STRIKE, 0, PATIENCE_S, since_ns=since)
        # A second, as it is set to; a busy machine may be late, never early.
        assert off.at_ns - edge.at_ns > 900_000_000
        taps += 1
        await until(lambda: len(gateway.events_of("access.decision")) == taps, board)
    assert len(board.starts) == 1
    assert not failures(board)


async def test_a_magnet_is_locked_from_the_first_instruction_and_let_go_by_a_card(
    lab: Lab, port: int, gateway: ScriptedGateway
) -> None:
    board = await start(lab, port, gateway, strike={"pin": STRIKE, "active": 1, "fail": "safe"})
    assert levels(board) == [1]
    since = board.present(UID)
    await board.wait_edge(STRIKE, 0, PATIENCE_S, since_ns=since)
    board.remove()
    await board.wait_edge(STRIKE, 1, PATIENCE_S, since_ns=since)
    assert levels(board) == [1, 0, 1]
