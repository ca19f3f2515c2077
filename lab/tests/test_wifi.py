"""The station that a board finds on the lab's chip: as an ESP32's driver answers, also to what it does not like."""

from collections.abc import Callable
from pathlib import Path

from watching import PATIENCE_S

from doorward_lab import Air
from doorward_lab.lab import Lab

Program = Callable[..., Path]

START = """\
import network, time
w = network.WLAN(network.STA_IF)
def settle(ms=1000):
    end = time.ticks_add(time.ticks_ms(), ms)
    while time.ticks_diff(end, time.ticks_ms()) > 0:
        w.status()
        time.sleep_ms(5)
def attempt(*arguments):
    try:
        return w.connect(*arguments)
    except OSError as error:
        return str(error)
"""
END = "\nprint('done')\nwhile True:\n    w.status()\n    time.sleep_ms(5)\n"


async def said(lab: Lab, program: Program, main: str, air: Air | None = None, **names: str) -> str:
    board = await lab.start_board(
        {"id": "front", "pins": {}}, firmware=program(main=START + main + END)
    )
    if air is not None:
        board.set_wifi(air, **names)
    await board.wait_log("done", PATIENCE_S)
    return " ".join(board.log)


async def test_it_answers_as_the_driver_does(lab: Lab, program: Program) -> None:
    main = (
        "print(attempt('s', 'k'), w.status())\n"
        "w.active(True)\nattempt('s', 'k')\nprint(w.status(), w.isconnected())\n"
        "print(attempt('s', 'k'))\n"
        "settle()\nprint(w.status(), w.isconnected(), network.WLAN(0).status('rssi'))\n"
        "w.disconnect()\nprint(attempt('s', 'k'))\nsettle()\nprint(w.status())\n"
        "try:\n    w.status('rssi')\nexcept OSError as error:\n    print(error)\n"
        "print(attempt('s', 'k'))\nsettle()\nprint(w.isconnected())"
    )
    internal = "Wifi Internal Error"
    assert await said(lab, program, main) == (
        f"Wifi Not Started 1000 1001 False {internal} 1010 True -50 {internal} 8 "
        "Wifi Unknown Error 0x300f None True done"
    )


async def test_why_it_failed_is_told_once_no_reconnect_is_due(lab: Lab, program: Program) -> None:
    main = (
        "w.active(True)\nsettle(300)\nattempt('s', 'k')\nsettle()\nprint(w.status())\n"
        "w.disconnect()\nsettle()\nw.config(reconnects=0)\nattempt('s', 'k')\nsettle()\nprint(w.status())"
    )
    assert await said(lab, program, main, Air.NO_HANDSHAKE) == "1001 204 done"


async def test_a_network_has_a_name_and_a_key(lab: Lab, program: Program) -> None:
    main = "w.active(True)\nw.config(reconnects=0)\nsettle(300)\n"
    for words in ("'other', 'k'", "'school', 'k'", "'school', 'right'"):
        main += f"attempt({words})\nsettle()\nprint(w.status())\n"
    told = await said(lab, program, main, Air.GOOD, ssid="school", key="right")
    assert told == "201 202 1010 done"


async def test_who_is_connected_to_a_deaf_one_is_not_told(lab: Lab, program: Program) -> None:
    main = (
        "w.active(True)\nw.config(reconnects=0)\nattempt('s', 'k')\nsettle(500)\nprint('up')\nsettle(1500)\n"
        "print(w.isconnected())"
    )
    board = await lab.start_board(
        {"id": "front", "pins": {}}, firmware=program(main=START + main + END)
    )
    await board.wait_log("up", PATIENCE_S)
    board.set_wifi(Air.DEAF)
    await board.wait_log("True", PATIENCE_S)
    board.set_wifi(Air.NO_ACCESS_POINT)
    assert (await board.wait_log("done", PATIENCE_S)) == "done"
