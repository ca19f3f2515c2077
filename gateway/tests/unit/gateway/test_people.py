"""What the desk refuses about people and cards, and in which words."""

from dataclasses import replace

import pytest
from stage import Scene

from doorward.errors import NotFound


async def test_without_any_access_level_the_refusal_says_why(scene: Scene) -> None:
    scene.store.rules = replace(scene.store.rules, levels=(), people=(), credentials=())
    await scene.cases.rulebook.refresh()
    with pytest.raises(NotFound, match="no access levels here yet") as refused:
        await scene.cases.people.add("Noor Haddad", ["Members"], actor="test")
    assert refused.value.field == "levels"
    assert scene.store.rows == []
    assert (await scene.cases.people.add("Noor Haddad", actor="test")).levels == ()
