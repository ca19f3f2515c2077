"""What the desk refuses about people and cards, and in which words."""

from dataclasses import replace
from datetime import date, datetime
from io import BytesIO

import pytest
from stage import CARDS, Scene

from doorward.domain.holidays import day_of
from doorward.errors import Conflict, InvalidInput, NotFound
from doorward_core import seal
from doorward_core.records import Cache


async def test_without_any_access_level_the_refusal_says_why(scene: Scene) -> None:
    scene.store.rules = replace(scene.store.rules, levels=(), people=(), credentials=())
    await scene.cases.rulebook.refresh()
    with pytest.raises(NotFound, match="no access levels here yet") as refused:
        await scene.cases.people.add("Noor Haddad", ["Members"], actor="test")
    assert refused.value.field == "levels"
    assert scene.store.rows == []
    assert (await scene.cases.people.add("Noor Haddad", actor="test")).levels == ()


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "x" * 300])
async def test_a_name_has_1_to_80_characters(scene: Scene, name: str) -> None:
    with pytest.raises(InvalidInput, match="name: give 1 to 80 characters") as refused:
        await scene.cases.people.add(name, actor="test")
    assert refused.value.field == "name"


async def test_a_name_can_be_printed(scene: Scene) -> None:
    with pytest.raises(InvalidInput, match="cannot be printed"):
        await scene.cases.people.add("Noor\x1b[2J", actor="test")


async def test_a_revoked_card_is_given_to_nobody(scene: Scene) -> None:
    with pytest.raises(Conflict, match="that card was revoked; use another card"):
        await scene.cases.people.add_card(CARDS["former"], "Maya Okafor", actor="test")
    assert scene.store.rows == []


async def test_a_card_is_revoked_once(scene: Scene) -> None:
    await scene.cases.people.revoke_card(CARDS["member"], actor="test")
    with pytest.raises(Conflict, match="Maya Okafor was revoked already"):
        await scene.cases.people.revoke_card(CARDS["member"], actor="test")
    assert [row.kind for row in scene.store.rows] == ["card.revoked"]


async def test_dates_reach_the_decision_the_boards_and_the_audit(scene: Scene) -> None:
    desk, term = scene.cases.people, (date(2026, 11, 22), date(2026, 12, 18))
    changed = await desk.set_dates("maya OKAFOR", *term, actor="test")
    assert (changed.valid_from, changed.valid_until) == term
    assert scene.store.rows[-1].why == "Maya Okafor may pass from 2026-11-22 until 2026-12-18."
    why, zone = scene.cases.why, scene.clock.zone
    denied = why.why(CARDS["member"], "front", datetime(2026, 11, 21, 23, 59, tzinfo=zone))
    assert denied.rule_name == "valid dates"
    assert denied.sentence == (
        "Maya Okafor may pass from 2026-11-22 until 2026-12-18 only, and it was Sat 23:59."
    )
    for day, verdict in ((22, "grant"), (18, "grant"), (19, "deny")):
        at = datetime(2026, 11 if day == 22 else 12, day, tzinfo=zone)
        assert why.why(CARDS["member"], "front", at).verdict == verdict
    cache = Cache(BytesIO(scene.store.kept_caches["front"].file), scene.front.keys)
    held = cache.lookup(seal.tag(scene.front.keys, CARDS["member"]))
    assert held is not None
    assert (held.valid_from, held.valid_until) == tuple(day_of(day) for day in term)
    freed = await desk.set_dates("Maya Okafor", None, None, actor="test")
    assert (freed.valid_from, freed.valid_until) == (None, None)
    assert scene.store.rows[-1].why == "Maya Okafor may pass on any day."


async def test_somebody_is_added_with_dates(scene: Scene) -> None:
    until = date(2026, 12, 18)
    added = await scene.cases.people.add("Noor", ["Members"], valid_until=until, actor="test")
    assert (added.valid_from, added.valid_until) == (None, until)


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        (date(2026, 12, 2), date(2026, 12, 1), "valid_until"),
        (date(1999, 1, 1), None, "valid_from"),
        (None, date(2100, 1, 1), "valid_until"),
    ],
)
async def test_dates_that_admit_nobody_are_refused(
    scene: Scene, first: date | None, last: date | None, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await scene.cases.people.set_dates("Maya Okafor", first, last, actor="test")
    assert refused.value.field == field
    with pytest.raises(NotFound):
        await scene.cases.people.set_dates("Nobody", None, None, actor="test")
    assert scene.store.rows == []
