"""The doors as last heard of."""

from dataclasses import replace

from stage import Scene

from doorward.app.views import DoorView
from doorward_core import topics


async def test_a_door_that_is_renamed_keeps_its_state_and_the_page_hears_of_it(
    scene: Scene,
) -> None:
    scene.deliver(topics.ONLINE, scene.front.hello())
    await scene.news()
    front, *others = scene.store.rules.doors
    doors = (replace(front, name="Main door"), *others)
    scene.store.rules = replace(scene.store.rules, doors=doors)
    await scene.cases.rulebook.refresh()
    view = scene.cases.states.get("main door")
    assert (view.id, view.name, view.online) == ("front", "Main door", True)
    told = [item for item in await scene.news() if isinstance(item, DoorView)]
    assert [(item.id, item.name) for item in told] == [("front", "Main door")]
