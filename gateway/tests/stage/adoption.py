"""A board on its way in: adopted, announced, approved."""

from dataclasses import dataclass

from doorward.app.devices.doors import DoorOrder
from doorward.app.devices.files import BoardProfile, BrokerAddress
from doorward_core import topics
from stage import Scene, ScriptedBoard
from stage.secrets import Enrolment

PROFILE = BoardProfile("door-esp32", "door", {"strike": {"pin": 25, "active": 1}}, cap_ms=8_000)


BROKER = BrokerAddress("192.168.1.5", 8883)


NONCE = bytes(range(16))


@dataclass
class New:
    """A board with the files of its adoption."""

    script: ScriptedBoard
    claim: str
    secret: str


async def adopt(scene: Scene, device: str = "side", *, again: bool = False) -> New:
    adopted = await scene.cases.devices.adopt(device, PROFILE, BROKER, again=again, actor="anna")
    config = adopted.files.config
    secrets = Enrolment(device, config["secret"], config["key"], config["key_epoch"])
    return New(ScriptedBoard(secrets), config["claim"], config["secret"])


async def announce(scene: Scene, board: New, payload: bytes | None = None) -> None:
    message = payload or board.script.announce(board.claim)
    scene.deliver(topics.REGISTER, message, board.script.id)
    await scene.settle()


async def approve(scene: Scene, board: New, door: str = "Side door") -> None:
    await scene.cases.devices.approve(board.script.id, DoorOrder(door), actor="anna")


def state(scene: Scene, device: str = "side") -> str:
    return scene.cases.devices.get(device).state


def refused(scene: Scene, device: str = "side") -> int:
    return scene.cases.devices.get(device).rejected


def kinds(scene: Scene) -> list[str]:
    return [row.kind for row in scene.store.rows]
