"""The doors as last heard of."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from stage import Scene

from doorward.app.access.doors import lockout_of
from doorward.app.views.access import DoorView
from doorward.app.views.fixtures import Lockout
from doorward_core import board_messages, lockout, topics, vault_messages
from doorward_core.gateway_states import Reported, parse_reported
from doorward_core.messages import MessageError


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


async def test_a_reader_that_looks_at_a_card_when_it_is_shown_twice_is_on_the_page(
    scene: Scene,
) -> None:
    scene.deliver(topics.ONLINE, scene.front.hello())
    lockout: dict[str, object] = {"reader": 0, "turned_away": 0}
    scene.deliver(topics.EVENTS, scene.front.event("lockout.entered", lockout))
    assert scene.cases.states.get("front").lockout == Lockout("guarded")
    scene.deliver(topics.EVENTS, scene.front.event("lockout.cleared", lockout | {"turned_away": 7}))
    assert scene.cases.states.get("front").lockout is None
    assert [(row.kind, row.why) for row in scene.store.rows] == [
        (
            "lockout.entered",
            "Cards were refused one after the other: each has to be shown twice now.",
        ),
        (
            "lockout.cleared",
            "Cards are looked at when they are first shown again. Turned away until then: 7.",
        ),
    ]


def test_what_a_board_reports_of_failed_attempts() -> None:
    def told(**more: object) -> Reported:
        return parse_reported(board_messages.reported("locked", None, None, 1, "1", more))

    at = datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert lockout_of(told(guarded=True), at) == Lockout("guarded")
    assert lockout_of(told(guarded=False), at) is None
    held = vault_messages.status(lockout.STATE, lockout.ERROR, None, 30)
    assert lockout_of(told(**held), at) == Lockout("locked", at + timedelta(seconds=30))
    held = vault_messages.status(lockout.STATE, lockout.ERROR, None)
    assert lockout_of(told(**held), at) == Lockout("locked")
    assert lockout_of(told(**vault_messages.status("LOCKED", None, None)), at) is None
    with pytest.raises(MessageError):
        told(guarded=1)
