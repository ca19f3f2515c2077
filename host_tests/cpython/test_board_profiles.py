"""The doors that ship, each on its own chip: they open, hear their switches, and load no driver but their own."""

from typing import Any

import pytest
from brokers import mosquitto
from scripted_gateway import ScriptedGateway, profile
from watching import PATIENCE_S, strike, until

from doorward import boards
from doorward.data import data_root
from doorward_lab.board import Board
from doorward_lab.lab import Lab

FOLDER = data_root() / "boards"
DOORS = [name for name in boards.names(FOLDER) if name.startswith("door-")]
UID = bytes.fromhex("04a1b2c3d4e5f6")
# The file of a driver is called like its part, or like its driver where it has one.
NEEDED = {"strike", "contact", "debounce", "mfrc522", "led", "buzzer", "pattern"}


def wired(name: str, port: int) -> dict[str, Any]:
    """The config.json of a board with the wiring of a shipped profile; the lab reads `chip` as well."""
    shipped = boards.load(FOLDER, name)
    return {**profile(port), **boards.compiled(shipped), "chip": shipped.chip}


def kinds(gateway: ScriptedGateway) -> list[str]:
    return [event["type"] for event in gateway.events]


@pytest.mark.parametrize("name", DOORS)
async def test_a_door_that_ships_works_on_its_chip(
    name: str, lab: Lab, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with mosquitto(tmp_path_factory.mktemp("mosquitto")) as port:
        gateway = ScriptedGateway(port)
        gateway.cards = {UID}
        board = await lab.start_board(wired(name, port))
        await until(lambda: bool(gateway.boot and gateway.events), board)
        await _opens(board)

        drivers = [one for one in await board.modules() if one.startswith("doorward_drivers.")]
        assert {one.partition(".")[2] for one in drivers} <= NEEDED
        assert "doorward_drivers.mfrc522" in drivers, "or nothing was looked at"

        # Who presses the button and goes out has forced nothing.
        await until(lambda: kinds(gateway).count("lock.changed") == 2, board)
        await board.press("rex")
        board.set_contact(True)
        await until(lambda: "door.open" in kinds(gateway), board)
        board.set_contact(False)
        await until(lambda: "door.closed" in kinds(gateway), board)
        assert "door.rex" in kinds(gateway)
        assert "door.forced" not in kinds(gateway)
        board.set_contact(True)
        await until(lambda: "door.forced" in kinds(gateway), board)

        board.set_switch("tamper", True)
        await until(lambda: "tamper" in kinds(gateway), board)
        assert sum(edge.level == 1 for edge in board.edges if edge.pin == strike(board)) == 1
        gateway.close()


async def _opens(board: Board) -> None:
    board.present(UID)
    await board.wait_edge(strike(board), 1, PATIENCE_S)
    board.remove()
    await board.wait_edge(strike(board), 0, PATIENCE_S)


async def test_a_board_without_a_part_does_not_load_it(
    lab: Lab, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with mosquitto(tmp_path_factory.mktemp("mosquitto")) as port:
        gateway = ScriptedGateway(port)
        config = wired("door-esp32", port)
        for part in ("contact", "rex", "tamper", "led", "buzzer"):
            del config["pins"][part]
        board = await lab.start_board(config)
        await until(lambda: bool(gateway.boot), board)
        loaded = await board.modules()
        assert {one for one in loaded if one.startswith("doorward_drivers.")} == {
            "doorward_drivers.mfrc522",
            "doorward_drivers.strike",
        }
        # QoS 2, names and umqtt are for others: a door's heap has none of it.
        for one in ("client", "names", "signals", "umqtt_client"):
            assert f"doorward_node.{one}" not in loaded
        assert "doorward_core.mqtt" not in loaded
        gateway.close()
