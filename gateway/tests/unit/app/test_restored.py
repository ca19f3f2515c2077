"""A gateway whose database is a backup's: boards know more than it does, and go on."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from stage import Scene
from stage.stored import stored

from doorward.adapters.store import SqlStore, log_check
from doorward.app.access.cache import CacheKeeper
from doorward.domain.audit_walk import Finding
from doorward.errors import Unavailable
from doorward_core import seal, topics


class House:
    """A scene on the real store, and the way back to how it was."""

    def __init__(self, scene: Scene, store: SqlStore) -> None:
        self.scene, self.store, self.board = scene, store, scene.front
        self.wire(None)

    def wire(self, restored_ms: int | None) -> None:
        """Start the gateway (again), restored or not."""
        self.scene.wire.sent.clear()
        self.scene.start_on(self.store, restored_ms)

    @property
    def now_ms(self) -> int:
        return int(self.scene.clock.now().timestamp() * 1000)

    async def say(self, count: int = 1, *, deliver: bool = True) -> list[bytes]:
        """So many entries of the board's log."""
        payloads = [self.board.event("door.open", {}) for _ in range(count)]
        if deliver:
            for payload in payloads:
                self.scene.deliver(topics.EVENTS, payload)
            await self.settle()
        return payloads

    async def settle(self) -> None:
        await self.store.put_site([], [], [])
        await self.scene.settle()
        await self.store.put_site([], [], [])

    def greet(self, seq: int, digest: bytes, *, retained: bool = False, version: int = 0) -> None:
        hello = self.board.hello(version, stored=(seq, digest))
        self.scene.deliver(topics.ONLINE, hello, retained=retained)

    def acked(self) -> list[int]:
        payloads = self.scene.answers(topics.EVENTS_ACK)
        return [json.loads(self.board.open(topics.EVENTS_ACK, one))["seq"] for one in payloads]

    def amiss(self) -> list[Finding]:
        """What is wrong with the boards' logs as they are stored."""
        return self.store._look(lambda connection: list(log_check.findings(connection)))

    async def rows(self, *kinds: str) -> list[tuple[str, str | None]]:
        found = await self.store.recent(500, None, None)
        return [(row.kind, row.note or row.why) for row in reversed(found) if row.kind in kinds]


@pytest.fixture
async def house(scene: Scene, tmp_path: Path) -> AsyncIterator[House]:
    async with stored(tmp_path) as store:
        house = House(scene, store)
        house.greet(0, seal.CHAIN_START)
        await house.say(3)
        assert house.acked() == [1, 2, 3]
        scene.clock.advance(60)
        yield house


async def test_the_log_goes_on_behind_what_was_lost(house: House) -> None:
    await house.say(4, deliver=False)  # stored by the database that is gone
    lost, digest = house.board.seq, house.board.digest
    house.wire(house.now_ms)
    house.greet(lost, digest)
    await house.say(2)
    assert house.acked() == [7, 8, 9]
    assert await house.rows("log.gap", "tamper") == [("log.gap", "entries 4 to 7 of its log")]
    assert house.store.heads()["front"].seq == 9
    assert house.amiss() == [], "the audit's own check knows of the gap"
    house.wire(house.now_ms)
    house.greet(9, house.board.digest)
    await house.say()
    assert house.acked() == [10], "and after a restart"
    assert len(await house.rows("log.gap", "tamper")) == 1


@pytest.mark.parametrize(
    "attack",
    [
        "delete from device_event where seq = 8",
        "update device_event set digest = zeroblob(16) where seq = 7",
        "update device_event set body = x'' where seq = 2",
        "update device_event set body = x'' where seq = 9",
        "update device_event set body = x'' where seq = 3",
    ],
)
async def test_a_gap_hides_nothing_else(house: House, attack: str) -> None:
    await house.say(4, deliver=False)
    house.wire(house.now_ms)
    house.greet(house.board.seq, house.board.digest)
    await house.say(2)
    assert house.amiss() == []
    with house.store._engine.begin() as connection:
        assert connection.exec_driver_sql(attack).rowcount == 1
    assert len(house.amiss()) == 1


async def test_an_older_database_that_nobody_restored_is_tampering_and_the_log_goes_on(
    house: House,
) -> None:
    await house.say(4, deliver=False)
    house.wire(None)
    house.greet(house.board.seq, house.board.digest)
    await house.settle()
    assert await house.rows("log.gap", "tamper") == [], "before the board has said what comes next"
    await house.say(2)
    assert house.acked() == [7, 8, 9]
    assert await house.rows("log.gap", "tamper") == [("tamper", "entries 4 to 7 of its log")]
    assert house.amiss() == []
    assert house.scene.rejected() == 0


async def test_only_the_boards_own_word_makes_a_gap(house: House) -> None:
    """As whoever has the broker would like to: leave out what the board said, and go on behind it."""
    held_back = await house.say(4, deliver=False)
    house.greet(3, house.board.digest)
    await house.say()
    assert (house.acked(), house.scene.rejected()) == ([1, 2, 3], 1)
    house.greet(house.board.seq, bytes(16))
    house.scene.deliver(topics.EVENTS, house.board.event("door.open", {}))
    await house.settle()
    assert (house.acked(), house.scene.rejected()) == ([1, 2, 3], 2)
    assert await house.rows("log.gap", "tamper") == []
    house.greet(3, house.board.digest)
    for payload in held_back:
        house.scene.deliver(topics.EVENTS, payload)
    await house.settle()
    assert house.acked()[-1] == 7


async def test_an_event_before_the_hello_waits_for_it(house: House) -> None:
    await house.say(4, deliver=False)
    place = house.board.seq, house.board.digest
    house.wire(house.now_ms)
    house.greet(0, seal.CHAIN_START, retained=True)  # what the restored broker still has
    [first] = await house.say(1)
    assert house.acked() == []
    house.greet(*place)
    house.scene.deliver(topics.EVENTS, first)
    await house.settle()
    assert house.acked() == [3, 7, 8]


async def test_what_is_uploaded_on_the_hellos_heels_follows_it(house: House) -> None:
    await house.say(4, deliver=False)
    place = house.board.seq, house.board.digest
    payloads = await house.say(3, deliver=False)
    house.wire(house.now_ms)
    house.greet(*place)
    for payload in payloads:
        house.scene.deliver(topics.EVENTS, payload)
    await house.settle()
    assert house.acked() == [7, 8, 9, 10]


async def test_a_board_that_sends_what_lies_in_the_gap_is_told_to_go_on(house: House) -> None:
    sent = await house.say(4, deliver=False)
    house.wire(house.now_ms)
    house.greet(house.board.seq, house.board.digest)
    await house.settle()
    for payload in sent:  # after a reboot it sends what its flash still holds
        house.scene.deliver(topics.EVENTS, payload)
    await house.settle()
    assert house.acked() == [7] * 5
    assert house.scene.rejected() == 0
    await house.say()
    assert house.acked()[-1] == 8


@pytest.mark.parametrize("restored", [False, True])
async def test_what_the_board_itself_had_to_drop_is_no_gap_of_ours(
    house: House, *, restored: bool
) -> None:
    house.wire(house.now_ms if restored else None)
    house.board.seq, digest = 9, bytes(range(16))
    house.scene.deliver(topics.ONLINE, house.board.hello(stored=(9, digest), lost=4))
    house.scene.deliver(topics.EVENTS, house.board.lost(9, 4, digest))
    await house.say()
    assert house.acked() == [9, 10]
    assert house.scene.rejected() == 0
    assert await house.rows("log.gap", "tamper", "lost") == [("lost", "entries 4 to 9 of its log")]


async def test_one_that_is_beyond_us_and_has_dropped_its_next_entries_is_believed(
    house: House,
) -> None:
    house.wire(None)
    house.board.seq = 7
    house.greet(7, bytes(16))
    house.scene.deliver(topics.EVENTS, house.board.lost(8, 4))
    await house.say()
    assert house.acked() == [8, 9]
    assert house.scene.rejected() == 0


async def test_a_log_that_is_over_is_never_beyond_us(house: House) -> None:
    former = house.board.epoch
    house.board.epoch, house.board.seq, house.board.digest = "ffffffff", 0, seal.CHAIN_START
    await house.say()
    house.wire(house.now_ms)
    house.board.epoch, house.board.seq = former, 5
    house.greet(5, bytes(16))
    await house.settle()
    assert await house.rows("log.gap") == []
    assert house.store.heads()["front"].epoch == "ffffffff"


async def test_a_second_gap_is_not_explained_by_one_restore(house: House) -> None:
    restored_ms = house.now_ms
    await house.say(2, deliver=False)
    house.wire(restored_ms)
    house.greet(house.board.seq, house.board.digest)
    await house.settle()
    house.scene.clock.advance(60)
    await house.say(2, deliver=False)  # somebody cuts the database
    house.wire(restored_ms)
    house.greet(house.board.seq, house.board.digest)
    await house.say()
    kinds = [kind for kind, _ in await house.rows("log.gap", "tamper")]
    assert kinds == ["log.gap", "log.gap", "tamper"]
    assert house.acked() == [7, 8], "the door's log goes on all the same"


async def test_a_log_that_began_meanwhile_is_told_as_one(house: House) -> None:
    former = await house.say(1, deliver=False)
    house.board.epoch, house.board.seq, house.board.digest = "ffffffff", 0, seal.CHAIN_START
    await house.say(2, deliver=False)
    house.wire(house.now_ms)
    house.greet(house.board.seq, house.board.digest)
    await house.say()
    assert house.acked() == [2, 3]
    kinds = [kind for kind, _ in await house.rows("log.gap", "tamper")]
    assert kinds == ["log.gap", "tamper"]
    house.wire(house.now_ms)
    house.greet(3, house.board.digest)
    house.scene.deliver(topics.EVENTS, former[0])
    await house.settle()
    assert house.store.heads()["front"].epoch == "ffffffff"


async def test_a_gap_that_cannot_be_stored_is_tried_again(house: House) -> None:
    await house.say(2, deliver=False)
    house.wire(house.now_ms)
    place = house.board.seq, house.board.digest
    whole = house.store.store_gap
    house.store.store_gap = lambda gap, rows, done: done(None, Unavailable("full"))  # type: ignore[method-assign]
    house.greet(*place)
    assert "start over" in house.scene.log
    house.store.store_gap = whole  # type: ignore[method-assign]
    house.greet(*place)
    await house.say()
    assert house.acked() == [5, 6]
    assert len(await house.rows("log.gap", "tamper")) == 1


def told(house: House) -> list[int]:
    payloads = house.scene.answers(topics.CONFIG)
    return [json.loads(house.board.open(topics.CONFIG, one))["cache_version"] for one in payloads]


@pytest.mark.parametrize(("at_the_board", "then"), [(1, 2), (2, 3), (7, 8), (0, 2)])
async def test_a_file_is_made_when_the_board_has_said_what_it_holds(
    house: House, at_the_board: int, then: int
) -> None:
    await house.scene.cases.cache.refresh()
    assert house.store.caches()["front"].version == 1
    house.scene.clock.advance(2 * 86400)  # old enough to be made anew, at once
    house.wire(house.now_ms)
    cache: CacheKeeper = house.scene.cases.cache
    await cache.refresh()
    cache.announce()
    assert told(house) == [], "it may have used these numbers for something else"
    house.greet(3, house.board.digest, retained=True, version=at_the_board)
    await house.settle()
    house.greet(3, house.board.digest, version=at_the_board)
    await house.settle()
    assert told(house) == [then]
    house.greet(3, house.board.digest, version=at_the_board)
    await house.settle()
    assert told(house) == [then], "once"
    house.wire(house.now_ms - 1)
    house.scene.cases.cache.announce()
    assert told(house) == [then], "and it is told after a restart"
