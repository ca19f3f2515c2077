"""Codes: which may be had, how many of a length, and that no refusal says whose."""

import pytest
from stage import Scene

from doorward.domain import typed_codes
from doorward.errors import Conflict, InvalidInput, NotFound
from doorward_core import code_limit, codes

MAYA, JONAS = "Maya Okafor", "Jonas Weber"


async def test_a_code_is_given_and_revoked_and_told_by_its_word_alone(scene: Scene) -> None:
    people = scene.cases.people
    card, digits = await people.add_code("maya  okafor", "471108", actor="test")
    assert (card.person, card.tail, digits) == (MAYA, "code", "471108")
    assert scene.cases.rulebook.snapshot.holder(codes.credential("471108")) is not None
    (revoked,) = await people.revoke_codes(MAYA, actor="test")
    assert revoked.revoked
    told = [(row.kind, row.person, row.card_tail, row.actor) for row in scene.store.rows]
    assert told == [("card.added", MAYA, "code", "test"), ("card.revoked", MAYA, "code", "test")]
    assert "471108" not in repr(scene.store.rows)
    with pytest.raises(NotFound, match="Maya Okafor has no code"):
        await people.revoke_codes(MAYA, actor="test")
    with pytest.raises(Conflict, match="that code cannot be had"):
        await people.add_code(JONAS, "471108", actor="test")


async def test_a_code_is_somebodys_alone_and_whose_is_not_said(scene: Scene) -> None:
    await scene.cases.people.add_code(MAYA, "471108", actor="test")
    with pytest.raises(Conflict) as refused:
        await scene.cases.people.add_code(JONAS, "471108", actor="test")
    assert MAYA not in str(refused.value)
    assert "471108" not in str(refused.value)
    assert refused.value.field == "code"


@pytest.mark.parametrize("code", ["", "471", "471108155", "47a1", "४७११", "4711 ", "+471"])
async def test_what_is_no_code_is_refused_without_repeating_it(scene: Scene, code: str) -> None:
    with pytest.raises(InvalidInput, match="that is no code; give 4 to 8 digits") as refused:
        await scene.cases.people.add_code(MAYA, code, actor="test")
    assert not code.strip() or code.strip() not in str(refused.value)


@pytest.mark.parametrize("code", ["0000", "777777", "1234", "34567", "987654", "7890", "0987"])
async def test_what_everybody_tries_first_is_refused(scene: Scene, code: str) -> None:
    with pytest.raises(InvalidInput, match="among the first that anybody tries"):
        await scene.cases.people.add_code(MAYA, code, actor="test")


async def test_short_codes_are_few(scene: Scene) -> None:
    people = scene.cases.people
    await people.add_code(MAYA, "4711", actor="test")
    with pytest.raises(
        InvalidInput, match=r"as many codes of 4 digits .* \(1\); give one digit more"
    ):
        await people.add_code(JONAS, "4712", actor="test")
    for number in range(10):
        await people.add_code(JONAS, f"8246{number}", actor="test")
    with pytest.raises(InvalidInput, match=r"of 5 digits .* \(10\)"):
        await people.add_code(JONAS, "13579", actor="test")
    # Who has none any more makes room.
    await people.revoke_codes(MAYA, actor="test")
    await people.add_code(MAYA, "2580", actor="test")


def test_a_guess_hits_with_two_in_a_hundred_in_a_month_whatever_the_length() -> None:
    for digits in range(codes.SHORTEST, codes.LONGEST + 1):
        chance = typed_codes.may_have(digits) * typed_codes.TRIES / 10**digits
        assert chance < 0.02


def test_the_tries_of_thirty_days_are_those_that_a_board_looks_at() -> None:
    minute, state, looked_at = 60_000, code_limit.start(0, 0), 0
    for at in range(0, 30 * 24 * 60 * minute, minute):
        state, _ = code_limit.step(state, "tick", at)
        state, effects = code_limit.step(state, "show", at)
        if "check" in effects:
            state, _ = code_limit.step(state, "refused", at)
            looked_at += 1
    assert looked_at <= typed_codes.TRIES < looked_at + 20


def test_made_codes_are_new_and_get_longer_when_there_are_many() -> None:
    known: set[bytes] = set()
    lengths = []
    for _ in range(101):
        made = typed_codes.make(known)
        assert typed_codes.parse(made) not in known
        known.add(typed_codes.parse(made))
        lengths.append(len(made))
    assert lengths == [6] * 100 + [7]


async def test_a_made_code_is_told_once(scene: Scene) -> None:
    card, digits = await scene.cases.people.add_code(MAYA, actor="test")
    assert len(digits) == 6
    assert digits not in repr(card)
    assert digits not in repr(await scene.cases.people.list())
