"""A tap at the gateway: answered, put on record, acknowledged, in that order; and what is never answered."""

import json
import os
from typing import Any

import pytest
from stage import CARDS, Scene

from doorward.app.views.audit import AuditEntry
from doorward.domain import ruling
from doorward.domain.explain import Facts
from doorward.errors import Unavailable
from doorward_core import seal, topics
from doorward_core.seal import SealError

NONCE = bytes(range(16))


def answer(scene: Scene, index: int = -1) -> dict[str, object]:
    payload = scene.answers(topics.ACCESS_RESPONSE)[index]
    body: dict[str, object] = json.loads(scene.front.open(topics.ACCESS_RESPONSE, payload))
    return body


def tap(scene: Scene, card: str, nonce: bytes = NONCE) -> None:
    scene.deliver(topics.ACCESS_REQUEST, scene.front.ask(CARDS[card], nonce))


@pytest.mark.parametrize(
    ("card", "granted", "rule", "person"),
    [
        ("member", True, 10, "Maya Okafor"),
        ("evening", False, 10, "Jonas Weber"),
        ("former", False, 2, "Ana Ruiz"),
        ("stranger", False, 1, None),
    ],
)
def test_each_card_ends_as_its_rules_say(
    scene: Scene, card: str, granted: bool, rule: int, person: str | None
) -> None:
    tap(scene, card)
    told = answer(scene)
    assert (told["access_granted"], told["rule"]) == (granted, rule)
    assert ("seconds" in told) is granted
    [row] = scene.store.rows
    assert (row.granted, row.rule, row.person, row.door_id) == (granted, rule, person, "front")
    assert row.card_tail == CARDS[card][-2:].hex().upper()


def test_the_answer_is_bound_to_the_nonce_of_its_request(scene: Scene) -> None:
    tap(scene, "member")
    [payload] = scene.answers(topics.ACCESS_RESPONSE)
    assert seal.split(payload).freshness == seal.nonce_word(NONCE)


def test_answer_first_then_the_record_then_the_acknowledgement(scene: Scene) -> None:
    scene.store.held = True
    tap(scene, "member")
    assert scene.log == ["publish access/response"]
    scene.store.commit()
    assert scene.log == ["publish access/response", "puback access/request"]


def test_the_answer_waits_for_no_sentence(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = ruling.facts

    def watched(*about: Any) -> Facts:
        scene.log.append("facts")
        return facts(*about)

    monkeypatch.setattr(ruling, "facts", watched)
    tap(scene, "member")
    assert scene.log == ["publish access/response", "facts", "puback access/request"]


async def test_nobody_hears_of_it_before_it_is_on_record(scene: Scene) -> None:
    scene.store.held = True
    tap(scene, "member")
    assert await scene.news() == []
    scene.store.commit()
    told = [item for item in await scene.news() if isinstance(item, AuditEntry)]
    assert [(entry.person, entry.granted) for entry in told] == [("Maya Okafor", True)]


def test_what_could_not_be_recorded_is_not_acknowledged(scene: Scene) -> None:
    scene.store.error = Unavailable("disk full")
    tap(scene, "member")
    assert scene.log == ["publish access/response", "start over"]
    assert scene.cases.access.counts["unrecorded"] == 1


@pytest.mark.parametrize("flags", [{"retained": True}, {"repeated": True}])
def test_a_request_that_comes_again_is_acked_and_never_decided(
    scene: Scene, flags: dict[str, Any]
) -> None:
    scene.deliver(topics.ACCESS_REQUEST, scene.front.ask(CARDS["member"], NONCE), **flags)
    assert scene.log == ["puback access/request"]
    assert scene.store.rows == []
    assert scene.rejected() == 1


def test_a_recorded_request_is_answered_once(scene: Scene) -> None:
    payload = scene.front.ask(CARDS["member"], NONCE)
    scene.deliver(topics.ACCESS_REQUEST, payload)
    scene.deliver(topics.ACCESS_REQUEST, payload)
    assert len(scene.answers(topics.ACCESS_RESPONSE)) == 1
    assert len(scene.store.rows) == 1
    assert scene.rejected() == 1


def test_a_request_replayed_at_another_door_is_refused(scene: Scene) -> None:
    scene.deliver(topics.ACCESS_REQUEST, scene.front.ask(CARDS["member"], NONCE), device="back")
    assert scene.answers(topics.ACCESS_RESPONSE, "back") == []
    assert (scene.rejected("back"), scene.store.rows) == (1, [])


def test_a_board_that_names_another_is_refused(scene: Scene) -> None:
    scene.front.id = "back"
    scene.deliver(topics.ACCESS_REQUEST, scene.front.ask(CARDS["member"], NONCE))
    assert (scene.rejected(), scene.store.rows) == (1, [])


@pytest.mark.parametrize("position", [0, 20, -40, -1])
def test_one_changed_byte_is_enough(scene: Scene, position: int) -> None:
    payload = bytearray(scene.front.ask(CARDS["member"], NONCE))
    payload[position] ^= 1
    scene.deliver(topics.ACCESS_REQUEST, bytes(payload))
    assert scene.log == ["puback access/request"]
    assert scene.rejected() == 1


def test_a_seal_for_another_leaf_does_not_fit_this_one(scene: Scene) -> None:
    scene.deliver(topics.ACCESS_REQUEST, scene.front.ask_time(NONCE))
    assert (scene.rejected(), scene.wire.sent) == (1, [])


@pytest.mark.parametrize(
    "payload", [b"", b"{}", b"\n", b"\xff" * 40, b"{}\ndw1 1 n:00 00", b"x" * 5000]
)
def test_rubbish_is_acked_and_forgotten(scene: Scene, payload: bytes) -> None:
    scene.deliver(topics.ACCESS_REQUEST, payload)
    assert scene.log == ["puback access/request"]
    assert scene.wire.sent == []


def test_a_device_that_nobody_enrolled_is_not_even_counted(scene: Scene) -> None:
    scene.deliver(topics.ACCESS_REQUEST, scene.front.ask(CARDS["member"], NONCE), device="ghost")
    assert (scene.log, scene.wire.sent) == (["puback access/request"], [])


def test_the_other_board_cannot_read_the_answer_as_its_own(scene: Scene) -> None:
    tap(scene, "member")
    with pytest.raises(SealError):
        scene.back.open(topics.ACCESS_RESPONSE, scene.answers(topics.ACCESS_RESPONSE)[0])


async def test_a_change_acts_on_the_next_tap(scene: Scene) -> None:
    tap(scene, "member")
    assert answer(scene)["access_granted"] is True
    await scene.cases.people.revoke_card(CARDS["member"], actor="test")
    tap(scene, "member", os.urandom(16))
    assert answer(scene)["rule"] == 2
    await scene.cases.people.add("New Member", ["Members"], actor="test")
    await scene.cases.people.add_card(CARDS["stranger"], "New Member", actor="test")
    tap(scene, "stranger", os.urandom(16))
    assert answer(scene)["access_granted"] is True


def test_the_record_holds_no_more_than_four_digits_of_a_card(scene: Scene) -> None:
    for card in CARDS:
        tap(scene, card, os.urandom(16))
    told = repr(scene.store.rows).upper()
    assert not [card for card, uid in CARDS.items() if uid.hex()[:-4].upper() in told]
