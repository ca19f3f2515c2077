"""Somebody types at the serial port of a board that is at work."""

import os

from scripted_gateway import MEMBER, ScriptedGateway, profile
from watching import PATIENCE_S, until

from doorward_lab import Cause
from doorward_lab.lab import Lab

STRIKE = 25


async def test_an_interrupt_makes_the_relay_safe_and_leaves_the_prompt(
    lab: Lab, port: int, gateway: ScriptedGateway
) -> None:
    board = await lab.start_board(profile(port), serial=True)
    assert board.serial is not None
    await until(lambda: bool(gateway.boot), board)
    gateway.seconds = 9
    board.present(MEMBER)
    opened = await board.wait_edge(STRIKE, 1, PATIENCE_S)
    board.remove()
    keyboard = os.open(board.serial.path, os.O_RDWR | os.O_NOCTTY)
    try:
        os.write(keyboard, b"\x03")
        # Driven to its level: a reset, by the watchdog at the latest, would leave the pin without one.
        closed = await board.wait_edge(STRIKE, 0, 8, since_ns=opened.at_ns)
        assert closed.at_ns - opened.at_ns < 8_000_000_000
        await board.wait_log("KeyboardInterrupt", PATIENCE_S)
        assert [cause for cause, _ in board.starts] == [Cause.POWER_ON]
    finally:
        os.close(keyboard)
