"""What a board had to drop: a gap in its log is believed in where the board itself names it, and nowhere else."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from stage import Scene
from stage.stored import stored

from doorward.adapters.store import SqlStore, log_check
from doorward.domain.audit_walk import Finding
from doorward_core import board_messages, seal, topics


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    async with stored(tmp_path) as store:
        yield store


@pytest.fixture
def scene(scene: Scene, store: SqlStore) -> Scene:
    restart(scene, store)
    return scene


def restart(scene: Scene, store: SqlStore) -> None:
    scene.start_on(store)
    scene.deliver(topics.ONLINE, scene.front.hello())


async def say(scene: Scene, store: SqlStore, *payloads: bytes) -> int:
    """Upload, and return up to where the gateway then says that it has it all."""
    for payload in payloads:
        scene.deliver(topics.EVENTS, payload)
        for _ in range(3):
            await store.answer()
            await scene.settle()
    said = scene.answers(topics.EVENTS_ACK)
    return json.loads(scene.front.open(topics.EVENTS_ACK, said[-1]))["seq"] if said else 0


async def rows(store: SqlStore) -> list[tuple[str, str | None]]:
    kinds = ("lost", "tamper", "log.gap")
    return [(r.kind, r.note) for r in await store.recent(50, None, None) if r.kind in kinds]


def rejected(scene: Scene) -> dict[str, int]:
    device = scene.cases.fleet.find("front")
    assert device is not None
    return dict(device.rejected)


async def test_what_the_board_names_is_a_gap_on_record_and_the_log_goes_on(
    scene: Scene, store: SqlStore
) -> None:
    board = scene.front
    assert await say(scene, store, board.event("boot", {}), board.lost(9)) == 9
    assert await say(scene, store, board.event("door.open", {})) == 10
    assert rejected(scene) == {}
    assert await rows(store) == [("lost", "entries 2 to 9 of its log")]
    restart(scene, store)
    assert await say(scene, store, board.event("door.closed", {})) == 11
    assert amiss(store) == []


async def test_a_log_that_was_behind_is_told_as_tampering_and_goes_on(
    scene: Scene, store: SqlStore
) -> None:
    board = scene.front
    assert await say(scene, store, *[board.event("door.open", {}) for _ in range(5)]) == 5
    board.seq = 3  # the flash holds no more
    assert await say(scene, store, board.lost(7, 4, behind=True), board.event("boot", {})) == 8
    found = [r for r in await store.recent(50, None, None) if r.kind in ("tamper", "lost")]
    assert [(r.kind, r.note) for r in found] == [("tamper", "entries 4 to 7 of its log")]
    assert "ended before what it had told already" in (found[0].why or "")
    assert (amiss(store), rejected(scene)) == ([], {})


async def test_a_board_that_comes_back_with_a_log_that_is_over_hears_so_and_its_next_is_one_line(
    scene: Scene, store: SqlStore
) -> None:
    board = scene.front
    await say(scene, store, *[board.event("door.open", {}) for _ in range(5)])
    held, former = board.digest, board.epoch
    board.epoch, board.seq, board.digest = "00000002", 0, seal.CHAIN_START
    assert await say(scene, store, board.event("boot", {})) == 1
    assert await rows(store) == [("tamper", None)]
    board.epoch, board.seq = former, 4  # an older copy of its flash
    for _ in range(2):
        scene.told_held.clear()
        restart(scene, store)
        [*_, answer] = scene.told_held
        said = board_messages.parse_events_ack(board.open(topics.EVENTS_ACK, answer))
        assert said == (former, 5, held, True)
    board.epoch = "00000003"
    assert await say(scene, store, board.lost(6, 1, behind=True), board.event("boot", {})) == 7
    assert await rows(store) == [("tamper", "entries 1 to 6 of its log"), ("tamper", None)]
    assert "a log that is over" in ((await store.recent(50, None, None))[1].why or "")
    restart(scene, store)
    [*_, answer] = scene.told_held
    said = board_messages.parse_events_ack(board.open(topics.EVENTS_ACK, answer))
    assert said == ("00000003", 7, board.digest, False)
    assert (amiss(store), rejected(scene)) == ([], {})


async def test_an_entry_that_differs_is_answered_with_what_is_held(
    scene: Scene, store: SqlStore
) -> None:
    board = scene.front
    await say(scene, store, *[board.event("door.open", {}) for _ in range(5)])
    held = board.digest
    board.seq, board.digest = 0, bytes(16)
    assert await say(scene, store, board.event("boot", {})) == 5
    [*_, answer] = scene.answers(topics.EVENTS_ACK)
    said = board_messages.parse_events_ack(board.open(topics.EVENTS_ACK, answer))
    assert said == (board.epoch, 5, held, False)


async def test_what_was_never_written_is_counted_and_is_no_gap(
    scene: Scene, store: SqlStore
) -> None:
    said = scene.front.event("boot", {}), scene.front.event("lost", {"count": 3})
    assert await say(scene, store, *said) == 2
    assert await rows(store) == [("lost", "3 events")]
    assert amiss(store) == []


async def test_a_log_may_begin_with_a_gap(scene: Scene, store: SqlStore) -> None:
    board = scene.front
    assert await say(scene, store, board.lost(40), board.event("boot", {})) == 41
    assert amiss(store) == []


async def test_dropped_events_that_had_come_are_no_gap_and_no_contradiction(
    scene: Scene, store: SqlStore
) -> None:
    board = scene.front
    events = [board.event("door.open", {}) for _ in range(5)]
    assert await say(scene, store, *events[:4]) == 4
    assert await say(scene, store, board.lost(5, 2, board.digest)) == 5
    assert await say(scene, store, board.event("door.open", {})) == 6
    assert await say(scene, store, board.lost(6, 2, board.digest)) == 6
    assert amiss(store) == []
    assert rejected(scene) == {}
    assert await rows(store) == [("lost", "entries 2 to 5 of its log")]


async def test_the_gap_ends_where_it_says_and_begins_where_the_gateway_is(
    scene: Scene, store: SqlStore
) -> None:
    board = scene.front
    assert await say(scene, store, board.event("boot", {})) == 1
    assert await say(scene, store, board.lost(9, 3)) == 1, "entry 2 is not accounted for"
    assert rejected(scene) == {"an event after a gap": 1}
    board.seq = 9
    assert await say(scene, store, board.event("door.open", {})) == 1
    assert rejected(scene) == {"an event after a gap": 2}


async def test_a_gap_that_only_the_broker_names_is_none(scene: Scene, store: SqlStore) -> None:
    board = scene.front
    assert await say(scene, store, board.event("boot", {})) == 1
    payload = board.lost(9)
    assert await say(scene, store, payload.replace(b'"last":9', b'"last":8')) == 1
    other = json.dumps({"digest": "00" * 16})[1:-1].replace(" ", "").encode()
    named = payload[payload.index(b'"digest"') :][: len(other)]
    assert await say(scene, store, payload.replace(named, other)) == 1
    assert rejected(scene)["seal: mac"] == 1
    assert await say(scene, store, payload) == 9


async def test_another_end_of_the_same_past_is_tampering(scene: Scene, store: SqlStore) -> None:
    board = scene.front
    events = [board.event("door.open", {}) for _ in range(5)]
    assert await say(scene, store, *events) == 5
    await say(scene, store, board.lost(5, 2))
    assert [kind for kind, _ in await rows(store)] == ["tamper"]


@pytest.mark.parametrize(
    "attack",
    [
        "delete from device_event where seq = 9",
        "delete from device_event where seq = 1",
        "update device_event set digest = zeroblob(16) where seq = 9",
        "update device_event set body = replace(body, '\"first\":2', '\"first\":3') where seq = 9",
        "update device_event set body = replace(body, 'door.open', 'door.shut') where seq = 10",
    ],
)
async def test_a_gap_hides_nothing_else(scene: Scene, store: SqlStore, attack: str) -> None:
    board = scene.front
    await say(scene, store, board.event("boot", {}), board.lost(9), board.event("door.open", {}))
    assert amiss(store) == []
    with store._engine.begin() as connection:
        assert connection.exec_driver_sql(attack).rowcount == 1
    assert len(amiss(store)) == 1


async def test_a_gap_that_the_audit_does_not_know_is_one(scene: Scene, store: SqlStore) -> None:
    board = scene.front
    assert await say(scene, store, board.lost(9), board.event("door.open", {})) == 10
    triggers = "select name from sqlite_master where type = 'trigger' and tbl_name = 'audit'"
    with store._engine.begin() as connection:
        for name in connection.exec_driver_sql(triggers).scalars().all():
            connection.exec_driver_sql(f'drop trigger "{name}"')
        connection.exec_driver_sql("delete from audit where kind = 'lost'")
    assert [finding.kind for finding in amiss(store)] == ["deleted"]


def amiss(store: SqlStore) -> list[Finding]:
    return store._look(lambda connection: list(log_check.findings(connection)))
