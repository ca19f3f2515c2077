"""Adopt, announce, approve, revoke: what each step gives, and what no other step can give."""

import hashlib
import json

import pytest
from stage import CARDS, Scene
from stage.adoption import BROKER, NONCE, PROFILE, adopt, announce, approve, kinds, state

from doorward.app.devices.doors import DoorOrder
from doorward.app.views.audit import AuditEntry
from doorward.domain.devices import digest
from doorward.errors import Conflict, InvalidInput, Unavailable
from doorward_core import topics


async def test_a_new_board_goes_from_keys_to_a_door(scene: Scene) -> None:
    board = await adopt(scene)
    assert state(scene) == "waiting"
    assert scene.gate.open["side"] == (hashlib.sha256(board.secret.encode()).digest(), True)
    await announce(scene, board)
    assert state(scene) == "announced"
    assert not scene.answers(topics.REGISTERED, "side"), "nobody has approved it"
    await approve(scene, board)
    view = scene.cases.devices.get("side")
    assert (view.state, view.door_name, view.firmware) == ("approved", "Side door", "0.1.0")
    assert scene.gate.open["side"][1] is False
    await announce(scene, board)
    (answer,) = scene.answers(topics.REGISTERED, "side")
    assert json.loads(board.script.open(topics.REGISTERED, answer)) == {"status": "approved"}
    scene.deliver(topics.ONLINE, board.script.hello(), "side")
    assert scene.cases.devices.get("side").online
    assert kinds(scene) == ["device.adopted", "device.announced", "device.approved"]
    assert [row.actor for row in scene.store.rows] == ["anna", None, "anna"]
    assert scene.store.rows[-1].door_name == "Side door"
    told = [item.kind for item in await scene.news() if isinstance(item, AuditEntry)]
    assert told == kinds(scene)


async def test_the_files_hold_all_that_a_board_needs_and_the_gateway_keeps_no_claim_code(
    scene: Scene,
) -> None:
    adopted = await scene.cases.devices.adopt("side", PROFILE, BROKER, actor="anna")
    config = adopted.files.config
    assert config["broker"] == {"host": "192.168.1.5", "port": 8883}
    assert (config["id"], config["board"], config["base"]) == ("side", PROFILE.name, "doorward")
    assert (config["role"], config["pins"]) == ("door", PROFILE.pins)
    assert config["door"]["cap_s"] == 8, "the lock's own"
    assert set(adopted.files.tls) == {"ca.der", "cert.der", "key.der"}
    assert len(bytes.fromhex(config["claim"])) * 8 >= 128
    kept = scene.store.boards["side"]
    assert kept.claim == digest(bytes.fromhex(config["claim"]))
    for secret in (config["secret"], config["key"], config["claim"]):
        assert secret not in repr(adopted), "secrets stay out of logs"
        assert secret not in repr((scene.store.boards, scene.store.rows, scene.gate.open))


async def test_two_boards_never_have_the_same_secrets(scene: Scene) -> None:
    boards = [await adopt(scene, f"side{number}") for number in range(20)]
    assert len({board.claim for board in boards}) == 20
    assert len({board.secret for board in boards}) == 20


async def test_a_known_board_is_adopted_again_only_when_that_is_said(scene: Scene) -> None:
    with pytest.raises(Conflict, match="known already \\(approved\\); --again"):
        await adopt(scene, "front")
    assert scene.cases.fleet.find("front"), "nothing has changed"
    board = await adopt(scene, "front", again=True)
    assert scene.gate.told[-3:] == ["expel front", "enforce front", "admit front"]
    assert state(scene, "front") == "waiting"
    scene.deliver(topics.ONLINE, scene.front.hello())
    assert not scene.cases.devices.get("front").online
    await announce(scene, board)
    with pytest.raises(Conflict, match="the board front keeps Front door"):
        await approve(scene, board, "Another door")
    await approve(scene, board, "front DOOR")
    assert [door.id for door in scene.cases.rulebook.snapshot.doors.values()] == ["back", "front"]


@pytest.mark.parametrize("device", ["", "a/b", "#", "gateway", "<b>", "x" * 33, "../etc", "a\n"])
async def test_an_id_is_an_id(scene: Scene, device: str) -> None:
    with pytest.raises(InvalidInput):
        await adopt(scene, device)
    assert len(scene.cases.devices.list()) == 2


@pytest.mark.parametrize(
    ("order", "field"),
    [
        (DoorOrder(""), "door"),
        (DoorOrder("x" * 81), "door"),
        (DoorOrder("a\x1bb"), "door"),
        (DoorOrder("Side", strike_s=0), "strike_s"),
        (DoorOrder("Side", strike_s=11), "strike_s"),
        (DoorOrder("Side", held_s=0), "held_s"),
    ],
)
async def test_a_door_is_given_a_name_and_times_that_can_be(
    scene: Scene, order: DoorOrder, field: str
) -> None:
    board = await adopt(scene)
    await announce(scene, board)
    with pytest.raises(InvalidInput) as wrong:
        await scene.cases.devices.approve("side", order, actor="anna")
    assert wrong.value.field == field
    assert state(scene) == "announced"


async def test_a_door_changes_hands_only_when_its_board_is_gone(scene: Scene) -> None:
    board = await adopt(scene)
    await announce(scene, board)
    with pytest.raises(Conflict, match="Front door is kept by the board front; revoke that one"):
        await approve(scene, board, "Front door")
    await scene.cases.devices.revoke("front", actor="anna")
    order = DoorOrder("Front door", strike_s=7)
    await scene.cases.devices.approve("side", order, actor="anna")
    door = scene.cases.rulebook.snapshot.doors["front"]
    assert (door.device, door.strike_ms, door.held_ms) == ("side", 7000, 30000)
    scene.deliver(topics.ONLINE, board.script.hello(), "side")
    assert scene.cases.states.get("front").online
    scene.deliver(topics.ACCESS_REQUEST, board.script.ask(CARDS["member"], NONCE), "side")
    answer = json.loads(
        board.script.open(topics.ACCESS_RESPONSE, scene.answers(topics.ACCESS_RESPONSE, "side")[0])
    )
    assert answer["access_granted"] is True


async def test_a_revoked_board_is_not_heard_and_not_spoken_to(scene: Scene) -> None:
    scene.deliver(topics.ONLINE, scene.front.hello())
    scene.deliver(topics.ACCESS_REQUEST, scene.front.ask(CARDS["member"], NONCE))
    assert len(scene.answers(topics.ACCESS_RESPONSE)) == 1, "the positive control"
    view = await scene.cases.devices.revoke("front", actor="anna")
    assert (view.state, view.online, view.door_name) == ("revoked", False, "Front door")
    assert scene.gate.told == ["expel front", "enforce front"]
    assert "front" not in scene.signer.devices()
    scene.deliver(topics.ACCESS_REQUEST, scene.front.ask(CARDS["member"], bytes(16)))
    scene.deliver(topics.ONLINE, scene.front.hello())
    scene.deliver(topics.REGISTER, scene.front.announce("00" * 16))
    scene.deliver(topics.EVENTS, scene.front.event("boot", {}))
    scene.deliver(topics.OFFLINE, b"{}")
    assert len(scene.answers(topics.ACCESS_RESPONSE)) == 1
    assert not scene.store.entries
    door = scene.cases.states.get("front")
    assert (door.online, door.locked) == (False, None)
    with pytest.raises(Unavailable):
        await scene.cases.releases.open("front", "anna")
    sent = len(scene.wire.sent)
    scene.cases.cache.announce()
    await scene.cases.cache.refresh()
    assert all(topics.CONFIG in topic and "back" in topic for topic, *_ in scene.wire.sent[sent:])
    assert kinds(scene)[-1] == "device.revoked"
    assert scene.store.rows[-1].door_id == "front"


async def test_to_revoke_again_is_to_make_sure(scene: Scene) -> None:
    await scene.cases.devices.revoke("front", actor="anna")
    with pytest.raises(Conflict, match="was revoked already"):
        await scene.cases.devices.revoke("front", actor="anna")
    assert scene.gate.told == ["expel front", "enforce front"] * 2
    assert kinds(scene).count("device.revoked") == 1
    with pytest.raises(Conflict, match="was revoked; adopt it anew"):
        await scene.cases.devices.approve("front", DoorOrder("Front door"), actor="anna")


async def test_what_was_not_put_on_record_did_not_happen(scene: Scene) -> None:
    board = await adopt(scene)
    await announce(scene, board)
    scene.store.error = Unavailable("the disk is full")
    with pytest.raises(Unavailable):
        await approve(scene, board)
    assert state(scene) == "announced"
    assert scene.gate.open["side"][1] is True, "it still waits"
    assert scene.cases.fleet.find("side") is None


@pytest.mark.parametrize("device", ["Front", "FRONT", "Gateway"])
async def test_no_board_is_called_like_another_but_for_its_case(scene: Scene, device: str) -> None:
    """On a Mac their key files were one and the same."""
    for again in (False, True):
        with pytest.raises((Conflict, InvalidInput)):
            await adopt(scene, device, again=again)
    assert scene.cases.fleet.find("front"), "nothing has changed"
