"""A board announces itself with its claim code: once, and nothing but the right one changes anything."""

import asyncio

import pytest
from stage import CARDS, Scene, ScriptedBoard
from stage.adoption import (
    NONCE,
    New,
    adopt,
    announce,
    approve,
    kinds,
    refused,
    state,
)
from stage.secrets import Enrolment

from doorward.app.devices.doors import DoorOrder
from doorward.errors import Conflict, NotFound
from doorward_core import seal, topics


async def test_a_waiting_board_is_heard_on_that_one_leaf_alone(scene: Scene) -> None:
    board = await adopt(scene)
    await announce(scene, board)
    scene.deliver(topics.ONLINE, board.script.hello(), "side")
    scene.deliver(topics.ACCESS_REQUEST, board.script.ask(CARDS["member"], NONCE), "side")
    scene.deliver(topics.EVENTS, board.script.event("boot", {}), "side")
    assert not scene.answers(topics.ACCESS_RESPONSE, "side")
    assert not scene.store.entries
    assert not scene.cases.devices.get("side").online
    assert scene.cases.fleet.strangers == 3
    scene.deliver(topics.ACCESS_REQUEST, scene.front.ask(CARDS["member"], NONCE))
    assert scene.answers(topics.ACCESS_RESPONSE), "the positive control: an approved one is"


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("wrong", "a claim code that is not this board’s"),
        ("foreign", "a claim code that is not this board’s"),
        ("short", "message: claim"),
        ("other name", "an announcement in another name"),
        ("markup", "message: firmware"),
        ("control character", "message: board"),
        ("other key", "seal: mac"),
        ("tampered", "seal: mac"),
        ("not sealed", "seal: form"),
        ("retained", "an announcement that was retained"),
    ],
)
async def test_an_announcement_that_is_not_right_changes_nothing_and_is_counted(
    scene: Scene, how: str, reason: str
) -> None:
    board, other = await adopt(scene), await adopt(scene, "other")
    script = board.script
    payload = {
        "wrong": lambda: script.announce("00" * 16),
        "foreign": lambda: script.announce(other.claim),
        "short": lambda: script.announce(board.claim[:30]),
        "other name": lambda: script.announce(board.claim, device="other"),
        "markup": lambda: script.announce(board.claim, firmware="<img src=x onerror=1>"),
        "control character": lambda: script.announce(board.claim, board="a\r\n\x1b[2Jb"),
        "other key": lambda: other.script.announce(board.claim),
        "tampered": lambda: script.announce(board.claim).replace(b"0.1.0", b"0.1.1"),
        "not sealed": lambda: script.announce(board.claim).split(b"\n")[0],
        "retained": lambda: script.announce(board.claim),
    }[how]()
    before = kinds(scene)
    scene.deliver(topics.REGISTER, payload, "side", retained=how == "retained")
    await scene.settle()
    assert state(scene) == "waiting"
    assert kinds(scene) == before
    device = scene.cases.fleet.candidate("side")
    assert device is not None
    assert dict(device.rejected) == {reason: 1}
    await announce(scene, board)
    assert state(scene) == "announced", "the positive control"


async def test_a_replay_is_counted_and_a_flood_is_one_row(scene: Scene) -> None:
    board = await adopt(scene)
    first = board.script.announce(board.claim)
    for _ in range(3):
        scene.deliver(topics.REGISTER, first, "side")
    assert refused(scene) == 2
    for _ in range(200):
        scene.deliver(topics.REGISTER, board.script.announce(board.claim), "side")
    assert len(scene.tasks) == 1, "nothing piles up while the first is being written"
    await scene.settle()
    for _ in range(200):
        scene.deliver(topics.REGISTER, board.script.announce(board.claim), "side")
    await scene.settle()
    assert kinds(scene) == ["device.adopted", "device.announced"]
    assert len(scene.store.boards) == 3
    for stranger in range(100):
        scene.deliver(topics.REGISTER, first, f"stranger{stranger}")
    assert len(scene.cases.devices.list()) == 3
    assert scene.cases.fleet.strangers == 100


async def test_a_claim_code_is_good_for_one_approval(scene: Scene) -> None:
    board = await adopt(scene)
    await announce(scene, board)
    await approve(scene, board)
    assert scene.store.boards["side"].claim is None
    scene.deliver(topics.ONLINE, board.script.hello(), "side")
    before = kinds(scene)
    live = board.script.announce(board.claim)
    scene.deliver(topics.REGISTER, live, "side")
    assert refused(scene) == 0
    scene.deliver(topics.REGISTER, live, "side")
    assert refused(scene) == 1, "a replay"
    copied = New(ScriptedBoard(Enrolment("side", board.secret, "0" * 64)), board.claim, "")
    copied.script.keys = board.script.keys
    await announce(scene, copied)
    assert refused(scene) == 2
    assert kinds(scene) == before
    assert state(scene) == "approved"
    with pytest.raises(Conflict, match="approved already"):
        await approve(scene, board)


async def test_a_claim_code_of_a_former_adoption_is_void(scene: Scene) -> None:
    former = await adopt(scene)
    board = await adopt(scene, again=True)
    await announce(scene, New(board.script, former.claim, ""))
    await announce(scene, New(former.script, board.claim, ""))
    assert state(scene) == "waiting"
    assert refused(scene) == 2


async def test_nobody_is_approved_before_it_has_announced_itself(scene: Scene) -> None:
    board = await adopt(scene)
    with pytest.raises(Conflict, match="has not announced itself yet; put its files on it"):
        await approve(scene, board)
    with pytest.raises(NotFound, match="known: back, front, side"):
        await scene.cases.devices.approve("ghost", DoorOrder("Door"), actor="anna")


async def test_a_board_revoked_while_its_announcement_is_written_stays_revoked(
    scene: Scene,
) -> None:
    board = await adopt(scene)
    async with scene.cases.discovery._registry.changing:
        scene.deliver(topics.REGISTER, board.script.announce(board.claim), "side")
        revoking = asyncio.ensure_future(scene.cases.devices.revoke("side", actor="anna"))
        await asyncio.sleep(0)
    await revoking
    await scene.settle()
    assert state(scene) == "revoked"
    assert "side" not in scene.gate.open


def test_the_answer_to_an_announcement_is_good_for_the_boot_that_asked(scene: Scene) -> None:
    scene.deliver(topics.REGISTER, scene.front.announce("00" * 16))
    (answer,) = scene.answers(topics.REGISTERED)
    _, boot, _ = seal.parse_freshness(seal.split(answer).freshness)
    assert boot == scene.front.boot
