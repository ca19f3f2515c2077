"""What boards hold: made anew only when it says something else, with a version that never goes back."""

import json
import threading
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from stage import CARDS, Scene

from doorward.app.records import DeviceCache
from doorward.domain.snapshot import CacheContent, Snapshot
from doorward.errors import Unavailable
from doorward_core import cache_messages, records_build, records_delta, seal, topics
from doorward_core.records import Cache


def held(scene: Scene) -> Cache:
    cache = Cache(BytesIO(scene.store.kept_caches["front"].file), scene.front.keys)
    cache.check()
    return cache


async def test_only_who_may_ever_pass_here_is_in_it(scene: Scene) -> None:
    await scene.cases.cache.refresh()
    cache = held(scene)
    known = {card for card, uid in CARDS.items() if cache.lookup(seal.tag(scene.front.keys, uid))}
    assert known == {"member", "evening"}


async def test_no_uid_stands_in_it(scene: Scene) -> None:
    await scene.cases.cache.refresh()
    file = scene.store.kept_caches["front"].file
    assert not [card for card, uid in CARDS.items() if uid in file]


async def test_the_same_rules_make_no_new_file_and_a_change_makes_the_next_version(
    scene: Scene,
) -> None:
    await scene.cases.cache.refresh()
    await scene.cases.cache.refresh()
    assert held(scene).version == 1
    await scene.cases.people.revoke_card(CARDS["member"], actor="test")
    assert held(scene).version == 2
    assert held(scene).lookup(seal.tag(scene.front.keys, CARDS["member"])) is None


async def test_in_another_format_it_is_made_anew(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.cases.cache.refresh()
    monkeypatch.setattr(records_build, "FORMAT", records_build.FORMAT + 1)
    await scene.cases.cache.refresh()
    assert held(scene).version == 2


async def test_with_age_it_is_made_anew(scene: Scene) -> None:
    await scene.cases.cache.refresh()
    scene.clock.advance(86400)
    await scene.cases.cache.refresh()
    assert held(scene).version == 2


async def test_one_file_that_cannot_be_kept_stops_no_other(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_cache = scene.store.put_cache

    async def full_for_the_front(cache: DeviceCache) -> None:
        if cache.device == "front":
            raise Unavailable("the disk is full")
        await put_cache(cache)

    monkeypatch.setattr(scene.store, "put_cache", full_for_the_front)
    with pytest.raises(Unavailable, match="disk is full"):
        await scene.cases.cache.refresh()
    assert set(scene.store.kept_caches) == {"back"}
    monkeypatch.undo()
    await scene.cases.cache.refresh()
    assert set(scene.store.kept_caches) == {"back", "front"}


@pytest.mark.parametrize("change", [{"lockdown": True}, {"min_strength": 2}])
async def test_a_board_learns_the_policy_of_its_door(scene: Scene, change: dict[str, Any]) -> None:
    await scene.cases.cache.refresh()
    front, *others = scene.store.rules.doors
    doors = (replace(front, **change), *others)
    scene.store.rules = replace(scene.store.rules, doors=doors)
    await scene.cases.rulebook.refresh()
    await scene.cases.cache.refresh()
    told = [
        json.loads(scene.front.open(topics.CONFIG, one)) for one in scene.answers(topics.CONFIG)
    ]
    assert [one["cache_version"] for one in told] == [1, 2]
    policies = [{name: one["door"][name] for name in change} for one in told]
    assert policies == [{name: getattr(front, name) for name in change}, change]


async def test_a_gateway_from_a_backup_overtakes_what_the_boards_hold(scene: Scene) -> None:
    await scene.cases.cache.refresh()
    scene.deliver(topics.ONLINE, scene.front.hello(cache_version=7))
    scene.deliver(topics.ONLINE, scene.front.hello(cache_version=7))
    await scene.settle()
    told = json.loads(scene.front.open(topics.CONFIG, scene.answers(topics.CONFIG)[-1]))
    assert (told["cache_version"], held(scene).version) == (8, 8)
    [row] = scene.store.rows
    assert (row.kind, row.door_id, row.note) == (
        "cache.overtaken",
        "front",
        "version 7 at the board, 1 here",
    )
    assert scene.store.kept_caches["back"].version == 1


async def test_the_files_are_made_beside_the_loop(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: set[int] = set()
    content = Snapshot.cache_content

    def watched(snapshot: Snapshot, door: str) -> CacheContent:
        threads.add(threading.get_ident())
        return content(snapshot, door)

    monkeypatch.setattr(Snapshot, "cache_content", watched)
    await scene.cases.cache.refresh()
    assert threads
    assert threading.get_ident() not in threads


async def test_every_connection_tells_the_boards_what_to_hold(scene: Scene) -> None:
    await scene.cases.cache.refresh()
    scene.wire.sent.clear()
    scene.cases.cache.announce()
    topic, payload, retained = next(sent for sent in scene.wire.sent if "/front/" in sent[0])
    told = json.loads(scene.front.open(topics.CONFIG, payload))
    assert (topic.endswith("/config"), retained) == (True, True)
    assert (told["cache_version"], told["door"]["strike_ms"]) == (1, 5000)


async def test_an_old_version_is_not_handed_out(scene: Scene) -> None:
    await scene.cases.cache.refresh()
    scene.deliver(topics.ONLINE, scene.front.hello())
    for version, offset in ((2, 0), (0, 0), (1, 100_000)):
        body = cache_messages.cache_wanted(version, offset)
        scene.deliver(topics.COMMANDS_ACK, scene.front.say(topics.COMMANDS_ACK, body))
    assert scene.answers(topics.CACHE) == []
    assert scene.rejected() == 3


def asked(scene: Scene, version: int, base: int, offset: int = 0) -> tuple[int, bytes]:
    """What comes of asking for a piece: the version on which it is a delta, 0 for the whole, and its bytes."""
    body = cache_messages.cache_wanted(version, offset, base)
    before = len(scene.answers(topics.CACHE))
    scene.deliver(topics.COMMANDS_ACK, scene.front.say(topics.COMMANDS_ACK, body))
    [piece] = scene.answers(topics.CACHE)[before:]
    found = cache_messages.parse_cache_chunk(scene.front.open(topics.CACHE, piece))
    return found[4], found[3]


async def crowd(scene: Scene) -> None:
    """So many that what changes for one is less than half of all."""
    for number in range(20):
        person = await scene.cases.people.add(f"p{number}", ["Members"], actor="test")
        uid = b"\x08" + number.to_bytes(3, "big")
        await scene.cases.people.add_card(uid, person.name, actor="test")


async def test_a_board_that_missed_several_changes_gets_all_of_them(scene: Scene) -> None:
    await crowd(scene)
    base = held(scene).version
    scene.deliver(topics.ONLINE, scene.front.hello(base))
    old = scene.store.kept_caches["front"].file
    await scene.cases.people.revoke_card(CARDS["member"], actor="test")
    await scene.cases.people.revoke_card(CARDS["evening"], actor="test")
    version = held(scene).version
    assert version == base + 2
    expected = records_delta.build(old, scene.store.kept_caches["front"].file)
    assert expected is not None
    assert asked(scene, version, base) == (base, expected[:384])
    tag = seal.tag(scene.front.keys, CARDS["member"])
    assert tag in expected, "it names who is not to pass any more"


async def test_who_holds_anything_else_gets_the_whole_from_its_beginning(scene: Scene) -> None:
    await crowd(scene)
    base = held(scene).version
    scene.deliver(topics.ONLINE, scene.front.hello(base))
    await scene.cases.people.revoke_card(CARDS["member"], actor="test")
    whole = scene.store.kept_caches["front"].file
    for other in (base - 1, base + 1):
        assert asked(scene, base + 1, other, offset=384) == (0, whole[:384])
    assert asked(scene, base + 1, 0) == (0, whole[:384])


async def test_a_revoked_card_moves_nobody_elses_place(scene: Scene) -> None:
    await crowd(scene)
    before = scene.cases.rulebook.snapshot.cache_content("front")
    await scene.cases.people.revoke_card(CARDS["member"], actor="test")
    after = scene.cases.rulebook.snapshot.cache_content("front")
    assert (after.windows, after.persons) == (before.windows, before.persons)
    assert [card for card in before.cards if card not in after.cards] == [
        card for card in before.cards if card[0] == CARDS["member"]
    ]
