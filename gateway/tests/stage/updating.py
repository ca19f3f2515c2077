"""Updates of the scene's two boards, front and back: what is offered, asked for and told."""

import asyncio
import base64
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from doorward.firmware.bundle import Bundle
from doorward_core import board_messages, seal, topics
from doorward_core.messages import encode
from stage.board import ScriptedBoard
from stage.scene import Scene

NONCE = bytes(range(16))
FILES = {"doorward_core/a.mpy": b"a" * 500, "doorward_node/b.mpy": b"b" * 100}


class Shipped:
    version = "0.2.0"

    def bundle(self) -> Bundle:
        return Bundle(self.version, 0, FILES)


@asynccontextmanager
async def two_boards(scene: Scene, key: Path) -> AsyncIterator[Scene]:
    """Both are online, and run what they had; `key`: a folder with the key that signs firmware."""
    for name in ("firmware.pem", "firmware.pub"):
        shutil.copy2(key / name, scene.keys_directory)
    scene.cases.shelf.shipped = Shipped()
    scene.deliver(topics.ONLINE, scene.front.hello())
    scene.deliver(topics.ONLINE, scene.back.hello(), "back")
    try:
        yield scene
    finally:
        for task in scene.tasks:
            task.cancel()


async def add(scene: Scene, version: str, files: dict[str, bytes] = FILES) -> None:
    """Another firmware, signed by this site."""
    signed = await scene.cases.shelf.sign(Bundle(version, 0, files), actor="ada")
    await scene.cases.shelf.add(signed.pack(), actor="ada")


async def turns() -> None:
    """Signing and compiling are on other threads."""
    for _ in range(20):
        await asyncio.sleep(0.005)


def say(scene: Scene, board: ScriptedBoard, body: bytes) -> None:
    scene.deliver(topics.COMMANDS_ACK, board.say(topics.COMMANDS_ACK, body), board.id)


async def trusts(scene: Scene, board: ScriptedBoard) -> bytes:
    """The board takes the key that it is given under its nonce; returns it."""
    await turns()
    challenge = json.loads(board.open(topics.CONTROL, scene.answers(topics.CONTROL, board.id)[-1]))
    assert challenge["parameters"] == {"for": "rekey"}
    say(scene, board, board_messages.challenge_answer(challenge["command_id"], NONCE))
    payload = scene.answers(topics.REKEY, board.id)[-1]
    assert seal.split(payload).freshness == seal.nonce_word(NONCE)
    command = json.loads(board.open(topics.REKEY, payload))
    assert command["command"] == "trust"
    say(scene, board, board_messages.command_result(command["command_id"], "done"))
    await turns()
    return base64.b64decode(command["parameters"]["key"])


def offers(scene: Scene, board: ScriptedBoard) -> list[dict[str, object]]:
    found = []
    for payload in scene.answers(topics.FIRMWARE, board.id):
        body = json.loads(board.open(topics.FIRMWARE, payload))
        if "signature" in body:
            found.append({**body, "number": int(seal.split(payload).freshness[2:])})
    return found


def ask(scene: Scene, board: ScriptedBoard, number: object, offset: int) -> bytes | None:
    """What the gateway gives for this question."""
    before = len(scene.answers(topics.FIRMWARE, board.id))
    say(scene, board, encode({"want": "firmware", "version": number, "offset": offset}))
    found = scene.answers(topics.FIRMWARE, board.id)[before:]
    if not found:
        return None
    return base64.b64decode(json.loads(board.open(topics.FIRMWARE, found[0]))["data"])


async def reports(scene: Scene, board: ScriptedBoard, state: str, reason: str = "") -> None:
    order = scene.cases.updates._orders.get(board.id)
    assert order is not None
    data: dict[str, object] = {"order": order.number, "version": order.version, "state": state}
    if reason:
        data["reason"] = reason
    scene.deliver(topics.EVENTS, board.event("update", data), board.id)
    await turns()


def states(scene: Scene) -> dict[str, tuple[str, str]]:
    return {view.device: (view.state, view.reason) for view in scene.cases.updates.list()}


def audited(scene: Scene) -> list[tuple[str, str | None, str | None]]:
    return [
        (row.kind, row.device, row.actor)
        for row in scene.store.rows
        if row.kind.startswith(("update.", "firmware.", "device.trusts"))
    ]


async def both(scene: Scene) -> None:
    await scene.cases.updates.begin(None, None, actor="ada")
    await trusts(scene, scene.back)
