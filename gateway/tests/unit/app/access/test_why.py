"""The counterfactual: the same rules, another card, another hour."""

from datetime import UTC, datetime

import pytest
from stage import CARDS, Scene

from doorward.domain.credentials import parse_uid
from doorward.errors import InvalidInput, NotFound, TooManyAttempts

FRIDAY_EVENING = datetime(2026, 11, 20, 18, 30)  # noqa: DTZ001 - the door's own time


def test_the_rule_that_decides_and_all_before_it(scene: Scene) -> None:
    told = scene.cases.why.why(CARDS["evening"], "front")
    assert (told.verdict, told.rule_name, told.person) == ("deny", "schedule", "Jonas Weber")
    assert told.sentence == (
        "Jonas Weber may pass Front door Mon–Fri 17:00–22:00 only, and it was Sat 11:30."
    )
    assert [step.passed for step in told.steps] == [True] * 9 + [False, None]


def test_another_hour_in_the_doors_own_time(scene: Scene) -> None:
    told = scene.cases.why.why(CARDS["evening"], "FRONT DOOR", FRIDAY_EVENING)
    assert told.verdict == "grant"
    utc = datetime(2026, 11, 20, 21, 30, tzinfo=UTC)  # 22:30 in Berlin
    assert scene.cases.why.why(CARDS["evening"], "front", utc).verdict == "deny"


def test_each_way_to_be_refused_has_its_own_sentence(scene: Scene) -> None:
    said = {
        scene.cases.why.why(CARDS["stranger"], "front").sentence,
        scene.cases.why.why(CARDS["former"], "front").sentence,
        scene.cases.why.why(CARDS["member"], "back").sentence,
    }
    assert said == {
        "Nobody here has this card.",
        "This card of Ana Ruiz was revoked.",
        "Maya Okafor has no access level for Back door.",
    }


def test_a_grant_has_passed_the_site_rules_because_there_are_none(scene: Scene) -> None:
    told = scene.cases.why.why(CARDS["member"], "front")
    assert [step.passed for step in told.steps] == [True] * 11
    assert told.steps[-1].sentence == "None set."


async def test_a_person_stands_for_their_card(scene: Scene) -> None:
    assert scene.cases.why.card_of(" jonas  weber ") == CARDS["evening"]
    assert scene.cases.why.card_of("Ana Ruiz") == CARDS["former"]  # revoked, and the only one
    with pytest.raises(NotFound, match="there is no Eve") as refused:
        scene.cases.why.card_of("Eve")
    assert refused.value.field == "person"
    second = bytes.fromhex("04112233")
    await scene.cases.people.add_card(second, "Jonas Weber", actor="test")
    with pytest.raises(InvalidInput, match="one of 91C3, 2233"):
        scene.cases.why.card_of("Jonas Weber")
    assert scene.cases.why.card_of("Jonas Weber", "2233") == second
    with pytest.raises(NotFound, match="no such card"):
        scene.cases.why.card_of("Jonas Weber", "ffff")


def test_asking_leaves_no_trace(scene: Scene) -> None:
    scene.cases.why.why(CARDS["member"], "front")
    assert (scene.store.rows, scene.wire.sent) == ([], [])


async def test_codes_are_guessed_no_faster_than_at_a_keypad(scene: Scene) -> None:
    await scene.cases.people.add_code("Maya Okafor", "471108", actor="test")
    why, looked_at = scene.cases.why, 0
    for minute in range(24 * 60):
        try:
            for guess in range(20):
                assert why.why_code(f"{minute:04}{guess:02}", "front").person is None
                looked_at += 1
        except TooManyAttempts:
            with pytest.raises(TooManyAttempts) as refused:
                why.why_code("471108", "front")
            assert 0 < refused.value.retry_after <= 4 * 3600
        scene.clock.advance(60)
    assert 13 <= looked_at <= 19  # docs/lockout.md
    with pytest.raises(TooManyAttempts):
        why.why_code("471108", "front")
    scene.clock.advance(13 * 86400)
    assert why.why_code("471108", "front").person == "Maya Okafor"
    with pytest.raises(NotFound):
        why.why_code("471108", "nowhere")
    for _ in range(30):
        assert why.why_code("471108", "front").person == "Maya Okafor"


@pytest.mark.parametrize("text", ["04:A1:B2:C3", "04a1b2c3", "04 a1-b2 c3"])
def test_a_card_number_as_people_write_it(text: str) -> None:
    assert parse_uid(text) == bytes.fromhex("04a1b2c3")


@pytest.mark.parametrize("text", ["", "04a1b2", "04a1b2c3d4", "zz" * 4, "04a1b2c3" * 3])
def test_what_is_no_card_number(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_uid(text, "card")
    assert refused.value.field == "card"
