"""What the desk refuses about people and cards, and in which words."""

from dataclasses import replace

import pytest
from stage import CARDS, Scene

from doorward.errors import Conflict, InvalidInput, NotFound


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
