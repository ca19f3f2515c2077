"""The boards' logs: chained, stored byte for byte, acknowledged after the commit; and one row a tap."""

import json
import os

import pytest
from stage import CARDS, Scene

from doorward.errors import Unavailable
from doorward_core import seal, topics

NONCE = bytes(range(16))


@pytest.fixture
def scene(scene: Scene) -> Scene:
    scene.deliver(topics.ONLINE, scene.front.hello())
    scene.log.clear()
    return scene


def upload(scene: Scene, payload: bytes) -> None:
    scene.deliver(topics.EVENTS, payload)


def acked(scene: Scene) -> list[tuple[str, int]]:
    bodies = [
        json.loads(scene.front.open(topics.EVENTS_ACK, payload))
        for payload in scene.answers(topics.EVENTS_ACK)
    ]
    return [(body["epoch"], body["seq"]) for body in bodies]


def test_an_entry_is_kept_to_the_byte_and_acknowledged_after_the_commit(scene: Scene) -> None:
    scene.store.held = True
    payload = scene.front.event("boot", {})
    upload(scene, payload)
    assert scene.log == []
    scene.store.commit()
    assert scene.log == ["publish telemetry/ack", "puback telemetry/events"]
    assert acked(scene) == [("0a0b0c0d", 1)]
    [kept] = scene.store.entries
    assert kept.body == seal.split(payload).body
    assert kept.digest == scene.front.digest


def test_several_on_their_way_are_taken_in_order(scene: Scene) -> None:
    scene.store.held = True
    for _ in range(4):
        upload(scene, scene.front.event("door.open", {}))
    scene.store.commit()
    assert [seq for _, seq in acked(scene)] == [1, 2, 3, 4]


def test_after_a_failed_commit_the_board_starts_again_where_the_store_is(scene: Scene) -> None:
    upload(scene, scene.front.event("boot", {}))
    scene.store.error = Unavailable("disk full")
    payload = scene.front.event("door.open", {})
    upload(scene, payload)
    assert acked(scene) == [("0a0b0c0d", 1)]
    scene.store.error = None
    upload(scene, payload)
    assert acked(scene) == [("0a0b0c0d", 1), ("0a0b0c0d", 2)]


async def test_an_entry_that_comes_again_is_acknowledged_and_not_doubled(scene: Scene) -> None:
    payload = scene.front.event("door.open", {})
    for _ in range(3):
        upload(scene, payload)
        await scene.settle()
    assert len(scene.store.entries) == 1
    assert len(scene.store.rows) == 1
    assert acked(scene) == [("0a0b0c0d", 1)] * 3


async def test_the_same_number_with_another_content_is_tampering_told_once(scene: Scene) -> None:
    upload(scene, scene.front.event("door.open", {}))
    scene.front.seq, scene.front.digest = 0, seal.CHAIN_START
    other = scene.front.event("door.closed", {})
    for _ in range(3):
        upload(scene, other)
        await scene.settle()
    assert len(scene.store.entries) == 1
    assert [row.kind for row in scene.store.rows] == ["door.open", "tamper"]
    assert scene.rejected() == 3


@pytest.mark.parametrize("seq", [1, 2])
async def test_what_somebody_else_says_of_a_past_entry_is_no_tampering_of_the_board(
    scene: Scene, seq: int
) -> None:
    payloads = [scene.front.event("door.open", {}) for _ in range(2)]
    for payload in payloads:
        upload(scene, payload)
    said = acked(scene)
    for forged in (
        payloads[seq - 1].replace(b"door.open", b"door.held"),
        payloads[seq - 1][:-32] + b"0" * 32,
    ):
        upload(scene, forged)
        await scene.settle()
    assert [row.kind for row in scene.store.rows] == ["door.open", "door.open"]
    assert acked(scene) == said, "nothing is acknowledged before its seal is judged"
    device = scene.cases.fleet.find("front")
    assert device is not None
    assert dict(device.rejected) == {"seal: mac": 2}


def test_a_gap_is_refused(scene: Scene) -> None:
    upload(scene, scene.front.event("boot", {}))
    scene.front.event("door.open", {})
    upload(scene, scene.front.event("door.closed", {}))
    assert len(scene.store.entries) == 1
    device = scene.cases.fleet.find("front")
    assert device is not None
    assert dict(device.rejected) == {"an event after a gap": 1}


def test_an_entry_of_a_rewritten_past_does_not_fit_the_chain(scene: Scene) -> None:
    upload(scene, scene.front.event("boot", {}))
    scene.front.digest = os.urandom(16)
    upload(scene, scene.front.event("door.open", {}))
    assert len(scene.store.entries) == 1
    assert scene.rejected() == 1


def test_a_log_that_starts_anew_is_taken_and_called_tampering(scene: Scene) -> None:
    upload(scene, scene.front.event("boot", {}))
    scene.front.epoch, scene.front.seq, scene.front.digest = "ffffffff", 0, seal.CHAIN_START
    upload(scene, scene.front.event("boot", {}))
    assert [row.kind for row in scene.store.rows] == ["boot", "boot", "tamper"]


def test_both_accounts_of_a_tap_are_one_row(scene: Scene) -> None:
    scene.deliver(topics.ACCESS_REQUEST, scene.front.ask(CARDS["member"], NONCE))
    upload(scene, scene.front.decision(CARDS["member"], NONCE, granted=True))
    assert [(row.kind, row.reporter) for row in scene.store.rows] == [
        ("access.decision", "gateway")
    ]


def test_a_tap_whose_record_was_lost_is_told_by_the_board(scene: Scene) -> None:
    scene.store.error = Unavailable("power cut")
    scene.deliver(topics.ACCESS_REQUEST, scene.front.ask(CARDS["member"], NONCE))
    scene.store.error = None
    upload(scene, scene.front.decision(CARDS["member"], NONCE, granted=True))
    [row] = scene.store.rows
    assert (row.reporter, row.person, row.granted) == ("board", "Maya Okafor", True)


def test_when_board_and_gateway_disagree_both_are_on_record(scene: Scene) -> None:
    scene.deliver(topics.ACCESS_REQUEST, scene.front.ask(CARDS["member"], NONCE))
    upload(scene, scene.front.decision(CARDS["member"], NONCE, granted=False, source="board"))
    assert [(row.kind, row.granted) for row in scene.store.rows] == [
        ("access.decision", True),
        ("correction", False),
    ]
    assert scene.store.rows[1].note == "gateway said grant, board said deny"


def test_a_decision_of_the_board_alone_names_the_person_behind_the_tag(scene: Scene) -> None:
    upload(scene, scene.front.decision(CARDS["evening"], NONCE, granted=False, source="board"))
    [row] = scene.store.rows
    assert (row.person, row.source, row.card_tail) == ("Jonas Weber", "board", "91C3")


def test_no_tag_is_computed_for_a_card_that_ends_otherwise(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    payload = scene.front.decision(CARDS["evening"], NONCE, granted=False, source="board")
    computed: list[bytes] = []
    real = scene.signer.tags

    def watched(device: str, uid: bytes) -> tuple[bytes, ...]:
        computed.append(uid)
        return real(device, uid)

    monkeypatch.setattr(scene.signer, "tags", watched)
    upload(scene, payload)
    assert computed == [CARDS["evening"]]


def test_the_door_follows_its_log(scene: Scene) -> None:
    upload(scene, scene.front.event("lock.changed", {"locked": False, "cause": "tap"}))
    upload(scene, scene.front.event("door.forced", {}))
    view = scene.cases.states.get("Front Door")
    assert (view.locked, view.contact, view.alarm) == (False, "open", "forced")
    upload(scene, scene.front.event("door.closed", {}))
    assert (scene.cases.states.get("front").contact, scene.cases.states.get("front").alarm) == (
        "closed",
        None,
    )


@pytest.mark.parametrize(
    "data",
    [{}, {"request": 7}, {"request": "00", "granted": "yes", "rule": 1, "source": "board"}],
)
def test_an_authentic_event_that_cannot_be_read_does_not_block_the_log(
    scene: Scene, data: dict[str, object]
) -> None:
    upload(scene, scene.front.event("access.decision", data))
    upload(scene, scene.front.event("door.open", {}))
    assert [row.kind for row in scene.store.rows] == ["unreadable", "door.open"]
    assert acked(scene)[-1] == ("0a0b0c0d", 2)
