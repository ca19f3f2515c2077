"""Adopt, announce, approve, revoke: what each step gives, and what no other step can give."""

import asyncio
import hashlib
import json
from dataclasses import dataclass

import pytest
from stage import CARDS, Scene, ScriptedBoard
from stage.secrets import Enrolment

from doorward.app.board_files import BoardProfile, BrokerAddress
from doorward.app.device_doors import DoorOrder
from doorward.app.views import AuditEntry
from doorward.domain.devices import digest
from doorward.errors import Conflict, InvalidInput, NotFound, Unavailable
from doorward_core import seal, topics

PROFILE = BoardProfile("esp32-devkit-door", {"strike": {"pin": 25, "active": 1}})
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
    assert config["pins"] == PROFILE.pins
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


async def test_what_was_not_put_on_record_did_not_happen(scene: Scene) -> None:
    board = await adopt(scene)
    await announce(scene, board)
    scene.store.error = Unavailable("the disk is full")
    with pytest.raises(Unavailable):
        await approve(scene, board)
    assert state(scene) == "announced"
    assert scene.gate.open["side"][1] is True, "it still waits"
    assert scene.cases.fleet.find("side") is None


def test_the_answer_to_an_announcement_is_good_for_the_boot_that_asked(scene: Scene) -> None:
    scene.deliver(topics.REGISTER, scene.front.announce("00" * 16))
    (answer,) = scene.answers(topics.REGISTERED)
    _, boot, _ = seal.parse_freshness(seal.split(answer).freshness)
    assert boot == scene.front.boot


@pytest.mark.parametrize("device", ["Front", "FRONT", "Gateway"])
async def test_no_board_is_called_like_another_but_for_its_case(scene: Scene, device: str) -> None:
    """On a Mac their key files were one and the same."""
    for again in (False, True):
        with pytest.raises((Conflict, InvalidInput)):
            await adopt(scene, device, again=again)
    assert scene.cases.fleet.find("front"), "nothing has changed"
