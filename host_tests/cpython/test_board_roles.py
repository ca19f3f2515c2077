"""Motion sensor, lamp and all in one: real firmware on real MicroPython; PWM and relay as the hardware saw them."""

import json
from pathlib import Path
from typing import Any

from scripted_gateway import MEMBER, ScriptedGateway, profile
from watching import opens, until

from doorward import boards
from doorward.data import data_root
from doorward.firmware import program
from doorward_core import seal, topics
from doorward_lab import places
from doorward_lab.board import Board
from doorward_lab.lab import Lab

FOLDER = data_root() / "boards"
SENSORS = "telemetry/sensors"
WARM, COOL = 25, 26


def wired(name: str, port: int) -> dict[str, Any]:
    """The config.json of a shipped profile; its sensor is warm at once, and forgets in a second."""
    shipped = boards.load(FOLDER, name)
    made = {**profile(port), **boards.compiled(shipped), "chip": shipped.chip}
    if "pir" in made["pins"]:
        made["pins"]["pir"] |= {"warm_s": 0, "hold_s": 1}
    return made


async def start(lab: Lab, gateway: ScriptedGateway, config: dict[str, Any]) -> Board:
    board = await lab.start_board(config)
    await until(lambda: bool(gateway.boot and reported(gateway)), board)
    return board


def heard(gateway: ScriptedGateway, leaf: str) -> list[dict[str, Any]]:
    said = [payload for suffix, payload in gateway.heard if suffix == leaf and payload]
    return [json.loads(seal.open_sealed(gateway.keys, leaf, one).body) for one in said]


def reported(gateway: ScriptedGateway) -> list[dict[str, Any]]:
    return heard(gateway, topics.REPORTED)


def duty(board: Board, pin: int) -> int:
    return next((one.duty for one in reversed(board.duties) if one.pin == pin), 0)


async def loaded(board: Board) -> set[str]:
    members = program.shrunk(places.firmware()).members
    there = [
        each
        for one in await board.modules()
        if "doorward_" in one
        for each in members.get(one, [one])
    ]
    return {one.partition("doorward_")[2] for one in there}


async def test_a_motion_sensor_says_who_comes_and_carries_no_code_of_a_door(
    lab: Lab, gateway: ScriptedGateway, port: int
) -> None:
    board = await start(lab, gateway, wired("motion-esp32", port))
    board.set_switch("pir", is_on=True)
    await until(lambda: gateway.events_of("motion") == [{}], board)
    await until(lambda: reported(gateway)[-1]["motion"] is True, board)
    board.set_switch("pir", is_on=False)
    await until(lambda: reported(gateway)[-1]["motion"] is False, board)
    assert [said["motion_detected"] for said in heard(gateway, SENSORS)] == [True, False]
    assert gateway.events_of("motion") == [{}]
    assert reported(gateway)[-1]["lock"] is None
    board.set_switch("tamper", is_on=True)
    await until(lambda: bool(gateway.events_of("tamper")), board)
    await until(lambda: bool(heard(gateway, topics.HEARTBEAT)), board)
    assert heard(gateway, topics.HEARTBEAT)[0]["battery_mv"] > 0
    there = await loaded(board)
    assert not there & {"node.taps", "node.credentials", "core.access", "drivers.strike"}
    assert "node.motion" in there
    assert not gateway.acks and len(board.starts) == 1
    # There is nothing that a challenge could open.
    gateway.command("challenge", {"for": "unlock"})
    await until(lambda: bool(gateway.acks), board)
    gateway.publish(topics.CONTROL, gateway.unlock(gateway.acks[-1]["nonce"]))
    await until(lambda: gateway.acks[-1].get("result") == "refused", board)


async def test_a_lamp_obeys_fades_and_is_after_a_power_cut_as_it_was(
    lab: Lab, gateway: ScriptedGateway, port: int
) -> None:
    board = await start(lab, gateway, wired("lamp-esp32", port))
    await until(lambda: duty(board, WARM) > 0, board)  # where nothing is known it is not dark
    gateway.command("set_light", {"level": 100, "kelvin": 6500, "fade_ms": 500}, "bright")
    await until(lambda: {"command_id": "bright", "result": "done"} in gateway.acks, board)
    await until(lambda: duty(board, COOL) > 60000, board)
    assert duty(board, WARM) == 0
    steps = [one.duty for one in board.duties if one.pin == COOL and one.duty]
    assert len(steps) > 8 and steps == sorted(steps), "it fades, and never the wrong way"
    light = reported(gateway)[-1]["light"]
    assert light == {"level": 100, "kelvin": 6500, "cause": "command"}

    # A command that is no light changes nothing.
    gateway.command("set_light", {"level": 101}, "wrong")
    gateway.command("set_light", {"level": 20, "fade_ms": 0}, "low")
    await until(lambda: {"command_id": "low", "result": "done"} in gateway.acks, board)
    assert not any(ack["command_id"] == "wrong" for ack in gateway.acks)
    low = duty(board, COOL)
    # Ten seconds after the last change it is on flash.
    state = lambda: b"20 6500 20 "  # noqa: E731
    await until(lambda: (board_file(lab, board, "light") or b"").startswith(state()), board)
    before = gateway.boot
    await board.kill()
    seen = len(board.duties)
    await board.power_on()
    await until(lambda: gateway.boot != before, board)
    await until(lambda: duty(board, COOL) == low, board)
    assert max(one.duty for one in board.duties[seen:] if one.pin == COOL) == low, "no flash"
    there = await loaded(board)
    assert not there & {"node.taps", "node.credentials", "node.motion", "drivers.pir"}


def board_file(lab: Lab, board: Board, name: str) -> bytes | None:
    """A file of a board that runs, read from its flash by what the lab keeps of it."""
    image: Path = lab.directory / "boards" / board.id / "flash.img"
    content = image.read_bytes() if image.is_file() else b""
    at = content.rfind(b"20 6500 20 ")
    return content[at : at + 32] if name == "light" and at >= 0 else None


async def test_a_button_works_without_a_gateway(
    lab: Lab, gateway: ScriptedGateway, port: int
) -> None:
    config = wired("lamp-esp32", port)
    config["broker"]["port"] = 1  # nobody listens there
    board = await lab.start_board(config)
    await until(lambda: duty(board, WARM) > 0, board)
    await board.press("button")
    await until(lambda: duty(board, WARM) == 0, board)
    await board.press("button")
    await until(lambda: duty(board, WARM) > 0, board)
    assert len(board.starts) == 1


async def test_a_board_that_is_a_door_a_sensor_and_a_lamp(
    lab: Lab, gateway: ScriptedGateway, port: int
) -> None:
    board = await lab.start_board(wired("combined-esp32", port), heap_kib=192)
    await until(lambda: bool(gateway.boot and reported(gateway)), board)
    assert await opens(board, MEMBER)
    gateway.command("set_light", {"level": 10}, "low")
    await until(lambda: {"command_id": "low", "result": "done"} in gateway.acks, board)
    board.set_switch("pir", is_on=True)
    await until(lambda: bool(gateway.events_of("motion")), board)
    await until(lambda: reported(gateway)[-1]["motion"] is True, board)
    assert reported(gateway)[-1]["light"]["level"] == 10
    assert reported(gateway)[-1]["lock"] == "locked"
    assert len(board.starts) == 1
