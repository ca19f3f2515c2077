"""The feed: in order, from any place that is still known, and nobody can hold it up."""

from doorward.app.feed import LiveFeed
from doorward.app.views.access import DoorView

DOOR = DoorView("front", "Front door", online=True)


async def test_listeners_hear_what_comes_and_can_catch_up() -> None:
    feed = LiveFeed()
    for _ in range(3):
        feed.publish("door", DOOR)
    live, late = feed.subscribe(), feed.subscribe(after=1)
    feed.publish("door", DOOR)
    feed.close()
    assert [item.id async for item in live] == [4]
    assert [item.id async for item in late] == [2, 3, 4]
    assert feed.position == 4


async def test_memory_is_bounded_and_a_slow_listener_is_let_go() -> None:
    feed = LiveFeed()
    slow = feed.subscribe()
    for _ in range(1000):
        feed.publish("door", DOOR)
    assert [item.id async for item in slow] == list(range(1, 257))
    everything = feed.subscribe(after=0)
    everything.close()
    assert [item.id async for item in everything][-1] == 1000
