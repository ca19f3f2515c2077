"""The boards' logs on the real store: what fails there, and what is never acknowledged because of it."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from stage import Scene
from stage.stored import stored

from doorward.adapters.store import SqlStore
from doorward.app.ports import Recorded
from doorward.app.records import LogEntry
from doorward.domain.audit import AuditRow
from doorward_core import seal, topics


class PickyStore(SqlStore):
    """Cannot put on record that a door was held."""

    def store_event(self, entry: LogEntry, rows: Sequence[AuditRow], done: Recorded) -> None:
        spoilt = [replace(row, note="\ud800") if row.kind == "door.held" else row for row in rows]
        super().store_event(entry, spoilt, done)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    async with stored(tmp_path, PickyStore) as store:
        yield store


@pytest.fixture
def scene(scene: Scene, store: SqlStore) -> Scene:
    scene.start_on(store)
    scene.deliver(topics.ONLINE, scene.front.hello())
    scene.log.clear()
    return scene


def acked(scene: Scene) -> list[int]:
    payloads = scene.answers(topics.EVENTS_ACK)
    return [json.loads(scene.front.open(topics.EVENTS_ACK, one))["seq"] for one in payloads]


async def test_an_entry_that_cannot_be_put_on_record_is_kept_and_stops_nothing(
    scene: Scene, store: SqlStore
) -> None:
    for kind in ("door.open", "door.held", "door.closed", "door.open"):
        scene.deliver(topics.EVENTS, scene.front.event(kind, {}))
    for _ in range(3):
        await store.put_site([], [], [])
    assert acked(scene) == [1, 2, 3, 4]
    assert store.heads()["front"].digest == scene.front.digest
    kinds = [row.kind for row in await store.recent(4, None, None)]
    assert kinds == ["door.open", "door.closed", "unreadable", "door.open"]
    assert "start over" not in scene.log


@pytest.mark.parametrize("restarted", [False, True])
async def test_an_event_of_a_log_that_is_over_does_not_stop_the_present_one(
    scene: Scene, store: SqlStore, *, restarted: bool
) -> None:
    former = scene.front.event("boot", {})
    scene.deliver(topics.EVENTS, former)
    unheard = scene.front.event("door.open", {})
    scene.front.epoch, scene.front.seq, scene.front.digest = "ffffffff", 0, seal.CHAIN_START
    scene.deliver(topics.EVENTS, scene.front.event("boot", {}))
    await store.put_site([], [], [])
    if restarted:
        scene.start_on(store)
        scene.deliver(topics.ONLINE, scene.front.hello())
    scene.deliver(topics.EVENTS, former)
    scene.deliver(topics.EVENTS, unheard)
    await scene.settle()
    scene.deliver(topics.EVENTS, scene.front.event("door.open", {}))
    await store.put_site([], [], [])
    said = [
        json.loads(scene.front.open(topics.EVENTS_ACK, one))
        for one in scene.answers(topics.EVENTS_ACK)
    ]
    told = [(one["epoch"], one["seq"], one.get("over", False)) for one in said]
    over, present = ("0a0b0c0d", 1, True), "ffffffff"
    assert told == [(*over[:2], False), (present, 1, False), over, over, (present, 2, False)]
    assert scene.rejected() == 1
    assert store.heads()["front"].epoch == "ffffffff"


async def test_what_a_closed_store_did_not_take_is_not_acknowledged(
    scene: Scene, store: SqlStore
) -> None:
    await store.close()
    payload = scene.front.event("door.open", {})
    for _ in range(2):
        scene.deliver(topics.EVENTS, payload)
        await scene.settle()
    assert scene.log == ["start over", "start over"]
