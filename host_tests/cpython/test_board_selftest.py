"""The board's self-test on real virtual boards: raw readings of every part, and nothing of it stays."""

import asyncio
import time
from typing import Any

import pytest
from scripted_gateway import ScriptedGateway, profile
from watching import until

from doorward.domain.diagnosis import diagnose
from doorward.domain.wiring import Wiring
from doorward_lab import Board, Lab

STRIKE = 25
UID = bytes.fromhex("04a1b2c3")
HEAP_KIB = 144
PATIENCE_S = 20.0
PARTS = ["board", "flash", "broker", "inputs", "reader"]


@pytest.fixture
def gateway(gateway: ScriptedGateway) -> ScriptedGateway:
    gateway.cards = {UID}
    return gateway


async def start(lab: Lab, port: int, gateway: ScriptedGateway, **pins: Any) -> Board:
    config = profile(port)
    config["role"] = "vault" if "padlock" in pins else "door"
    config["pins"].update(pins)
    # Of all boards this is the one with the most parts, and the shim's models of them.
    more = 24 if "keypad" in pins else 0
    board = await lab.start_board(config, heap_kib=HEAP_KIB + more)
    await until(lambda: bool(gateway.boot and gateway.events), board)
    return board


def acks(gateway: ScriptedGateway, command_id: str) -> list[dict[str, Any]]:
    return [ack for ack in gateway.acks if ack.get("command_id") == command_id]


async def look(
    board: Board, gateway: ScriptedGateway, command_id: str = "t1", **parameters: Any
) -> dict[str, Any]:
    """Ask for a self-test, and return its readings by part, with how it ended as "result"."""
    gateway.command("selftest", parameters, command_id)
    ends = {"done", "failed", "already"}
    await until(lambda: any(ack.get("result") in ends for ack in acks(gateway, command_id)), board)
    told = acks(gateway, command_id)
    found = {ack["part"]: ack["data"] for ack in told if "part" in ack}
    assert list(found) == [ack["part"] for ack in told if "part" in ack]
    return {**found, "result": told[-1]["result"]}


async def settled(board: Board, most: int | None = None) -> int:
    """The heap in use, the least of a few looks: what the interpreter's stack still points at goes in time.

    most: it is looked at until it is no more than that, for as long as a busy machine may take.
    """
    deadline = time.monotonic() + PATIENCE_S
    while True:
        least = min([(await board.heap()).alloc for _ in range(3)])
        if most is None or least < most or time.monotonic() > deadline:
            return least


async def test_a_board_tells_of_every_part_once_and_keeps_nothing_of_it(
    lab: Lab, port: int, gateway: ScriptedGateway
) -> None:
    board = await start(lab, port, gateway)
    before = await settled(board)
    after = []
    for number in range(2):
        found = await look(board, gateway, f"t{number}")
        assert list(found) == [*PARTS, "result"]
        assert found["result"] == "done"
        # A few names stay, once; the code and what it held do not (it is 9 KiB).
        after.append(await settled(board, before + 2048))
    assert min(after) - before < 2048
    assert not [name for name in await board.modules() if "selftest" in name]
    assert found["reader"] == {
        "chip": "mfrc522",
        "version": 0x92,
        "antenna": True,
        "configured": True,
    }
    assert found["inputs"] == {"of": 80, "contact.pin": 0}
    assert found["flash"]["same"]
    assert (found["flash"]["unlogged"], found["flash"]["refused"]) == (0, False)
    assert found["board"]["clock"]
    # This broker has no rules, and hands the board what only a gateway may say.
    assert found["broker"]["echoes"] == 1


async def test_a_card_opens_while_the_board_looks_at_itself_and_one_test_at_a_time(
    lab: Lab, port: int, gateway: ScriptedGateway
) -> None:
    board = await start(lab, port, gateway)
    gateway.command("selftest", {}, "long")
    await until(lambda: any("part" in ack for ack in acks(gateway, "long")), board)
    gateway.command("selftest", {}, "second")
    since = board.present(UID)
    edge = await board.wait_edge(STRIKE, 1, PATIENCE_S, since_ns=since)
    assert "done" not in [ack.get("result") for ack in acks(gateway, "long")]
    assert edge.at_ns - since < 1_000_000_000
    await until(lambda: acks(gateway, "long")[-1].get("result") == "done", board)
    assert [ack["result"] for ack in acks(gateway, "second")] == ["already"]
    assert (await look(board, gateway, "third"))["result"] == "done"


async def test_without_the_gateway_s_answer_a_tap_stays_first(
    lab: Lab, port: int, gateway: ScriptedGateway
) -> None:
    board = await start(lab, port, gateway)
    gateway.answers = False
    gateway.command("selftest", {}, "waits")
    await until(lambda: any("part" in ack for ack in acks(gateway, "waits")), board)
    told = len(acks(gateway, "waits"))
    board.present(UID)
    # With no record of its own it asks for two seconds, and looks at nothing meanwhile.
    await until(lambda: bool(gateway.requests), board)
    await asyncio.sleep(1)
    assert len(acks(gateway, "waits")) <= told + 1
    assert not gateway.events_of("access.decision")
    await until(lambda: acks(gateway, "waits")[-1].get("result") == "done", board)
    assert gateway.events_of("access.decision")


async def test_a_silent_reader_is_looked_for_on_no_pin_of_another_part(
    lab: Lab, port: int, gateway: ScriptedGateway
) -> None:
    board = await start(lab, port, gateway)
    board.set_fault("sda-elsewhere")
    found = await look(board, gateway, near=[STRIKE, 32, 5, 17])
    assert found["reader"]["cs"] == 5
    assert found["reader"]["version"] == 0
    # As if the strike had been the gateway's to move: its one edge is that of the start.
    assert [edge.level for edge in board.edges if edge.pin == STRIKE] == [0]
    board.set_fault("sda-elsewhere", on=False)
    await until(lambda: bool(gateway.events_of("reader.reset")), board)
    since = board.present(UID)
    await board.wait_edge(STRIKE, 1, PATIENCE_S, since_ns=since)


async def test_the_lock_is_watched_while_somebody_releases_it(
    lab: Lab, port: int, gateway: ScriptedGateway
) -> None:
    board = await start(lab, port, gateway)
    gateway.command("selftest", {"watch": 4000}, "w")
    await until(lambda: any("part" in ack for ack in acks(gateway, "w")), board)
    board.pull(is_pulled=True)
    gateway.command("challenge", {"for": "unlock"}, "c")
    await until(lambda: bool(acks(gateway, "c")), board)
    gateway.publish("commands/control", gateway.unlock(acks(gateway, "c")[0]["nonce"], "r"))
    await until(lambda: acks(gateway, "w")[-1].get("result") == "done", board)
    begun, lock = [ack["data"] for ack in acks(gateway, "w") if "part" in ack]
    assert begun == {"watching": True}
    looks, high, changes = lock["held"]
    assert looks > 0
    assert high == changes == lock["first"] == 0
    assert lock["released"][2] == 1
    assert [edge.level for edge in board.edges if edge.pin == STRIKE] == [0, 1, 0]


KEYPAD = {"driver": "matrix", "rows": [4, 16], "cols": [17, 13], "keys": "12AB"}
PADLOCK = {"driver": "solenoid", "pin": 26, "active": 1, "pulse_ms": 500}
PIR = {"pin": 34, "active": 1, "pull": "none", "warm_s": 1, "hold_s": 1}
WIEGAND = {"driver": "wiegand", "d0": 18, "d1": 19}
PN532 = {"driver": "pn532", "bus": "i2c", "i2c": 0, "sda": 21, "scl": 22}
OTHERS: tuple[tuple[dict[str, Any], dict[str, str]], ...] = (
    (
        {"reader": PN532, "keypad": KEYPAD, "padlock": PADLOCK},
        {"antenna-cut": "reader.antenna", "key-stuck": "keypad.key"},
    ),
    ({"reader": WIEGAND, "pir": PIR}, {"d0-low": "wiegand.d0", "pir-stuck": "pir.stuck"}),
)


@pytest.mark.parametrize(("pins", "faults"), OTHERS, ids=["pn532", "wiegand"])
async def test_faults_of_other_parts_are_told_apart(
    lab: Lab, port: int, gateway: ScriptedGateway, pins: dict[str, Any], faults: dict[str, str]
) -> None:
    board = await start(lab, port, gateway, **pins)
    wiring = Wiring({**board.profile["pins"]}, {}, {})
    for number, (fault, code) in enumerate((("", ""), *faults.items())):
        if fault:
            board.set_fault(fault)
        found = await look(board, gateway, f"o{number}")
        assert found.pop("result") == "done", (fault, list(board.log))
        del found["broker"]  # this one has no rules
        codes = [finding.code for finding in diagnose(found, wiring)]
        assert codes == ([code] if code else []), (fault, found)
        if fault:
            board.set_fault(fault, on=False)


async def test_weak_wifi_is_told(lab: Lab, port: int, gateway: ScriptedGateway) -> None:
    config = {**profile(port), "wifi": {"ssid": "home", "password": "secret"}}
    board = await lab.start_board(config, heap_kib=HEAP_KIB)
    board.set_fault("weak-wifi")
    await until(lambda: bool(gateway.boot and gateway.events), board)
    await asyncio.sleep(1)  # the link does not wait for the Wi-Fi here
    found = await look(board, gateway)
    assert found["board"]["rssi"] == -88
