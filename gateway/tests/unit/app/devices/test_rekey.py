"""Rekey: on record first, sealed to one nonce, both keys valid until the board's first good word under the new one."""

import asyncio
import json
import os

import pytest
from stage import CARDS, Scene

from doorward.errors import Conflict, NotFound, Unavailable
from doorward_core import board_messages, seal, topics
from doorward_core.compat import aes_cbc

NONCE = bytes(range(16))


@pytest.fixture
def scene(scene: Scene) -> Scene:
    scene.deliver(topics.ONLINE, scene.front.hello())
    return scene


async def begin(scene: Scene) -> "asyncio.Task[int]":
    """Ask for a new key; the challenge has been sent when this returns."""
    asked = asyncio.ensure_future(scene.cases.rekeying.rekey("front", "sam"))
    for _ in range(5):  # turns of the loop: the audit row comes first
        await asyncio.sleep(0)
    return asked


def offer(scene: Scene, nonce: bytes = NONCE) -> None:
    challenge = json.loads(scene.front.open(topics.CONTROL, scene.answers(topics.CONTROL)[-1]))
    assert (challenge["command"], challenge["parameters"]) == ("challenge", {"for": "rekey"})
    body = board_messages.challenge_answer(challenge["command_id"], nonce)
    scene.deliver(topics.COMMANDS_ACK, scene.front.say(topics.COMMANDS_ACK, body))


def take(scene: Scene, nonce: bytes = NONCE) -> seal.Keys:
    """The new keys, as the board reads them."""
    payload = scene.answers(topics.REKEY)[-1]
    assert seal.split(payload).freshness == seal.nonce_word(nonce)
    parameters = json.loads(scene.front.open(topics.REKEY, payload))["parameters"]
    key = scene.front.keys.derive("rekey")[:16]
    secret = aes_cbc(key, nonce).decrypt(bytes.fromhex(parameters["key"]))
    return seal.Keys("front", secret, parameters["epoch"])


def restart(scene: Scene, keys: seal.Keys) -> None:
    scene.front.keys, scene.front.boot, scene.front.number = keys, os.urandom(seal.BOOT_SIZE), 0
    scene.deliver(topics.ONLINE, scene.front.hello())


async def test_from_the_order_to_the_boards_first_word_under_the_new_key(scene: Scene) -> None:
    asked = await begin(scene)
    assert [row.kind for row in scene.store.rows] == ["rekey.requested"]
    offer(scene)
    new = take(scene)
    assert new.epoch == 2
    assert not asked.done()
    restart(scene, new)
    assert await asked == 2
    await scene.settle()
    assert [(row.kind, row.actor) for row in scene.store.rows if row.device] == [
        ("rekey.requested", "sam"),
        ("device.rekeyed", "sam"),
    ]


async def test_a_board_that_was_cut_off_goes_on_with_the_key_it_has(scene: Scene) -> None:
    asked = await begin(scene)
    offer(scene)
    new = take(scene)
    scene.clock.advance(21)
    with pytest.raises(Unavailable, match="stays on its present key"):
        await asked
    before = scene.rejected()
    scene.deliver(topics.ONLINE, scene.front.hello())
    assert scene.rejected() == before
    # The key left in good order: whenever the board does come with it, it is the one.
    restart(scene, new)
    assert scene.rejected() == before
    assert scene.signer.epoch("front") == 2


async def test_after_the_first_good_word_the_former_key_is_over(scene: Scene) -> None:
    asked = await begin(scene)
    offer(scene)
    former = scene.front.keys
    restart(scene, take(scene))
    await asked
    scene.front.keys = former
    scene.deliver(topics.REPORTED, scene.front.say(topics.REPORTED, b"{}"))
    found = scene.cases.fleet.find("front")
    assert found
    assert found.rejected["seal: epoch"] == 1


async def test_the_same_key_goes_out_until_it_is_in_force(scene: Scene) -> None:
    made = set()
    for nonce in (NONCE, NONCE[::-1]):
        scene.wire.sent.clear()
        asked = await begin(scene)
        offer(scene, nonce)
        new = take(scene, nonce)
        scene.clock.advance(21)
        with pytest.raises(Unavailable):
            await asked
        made.add((new.epoch, new.derive("down.cache")))
    assert len(made) == 1


async def test_one_nonce_gets_one_key(scene: Scene) -> None:
    asked = await begin(scene)
    offer(scene)
    offer(scene, bytes(16))
    assert len(scene.answers(topics.REKEY)) == 1
    asked.cancel()


async def test_the_tags_of_events_from_before_are_still_read(scene: Scene) -> None:
    told = scene.front.decision(CARDS["member"], NONCE, granted=True, source="board")
    asked = await begin(scene)
    offer(scene)
    restart(scene, take(scene))
    await asked
    # The log is sealed when it is uploaded; what it says was written under the former key.
    body = seal.split(told).body
    word = seal.event_word(scene.front.epoch, scene.front.seq)
    payload = seal.seal(scene.front.keys, topics.EVENTS, word, body, scene.front.digest)
    scene.deliver(topics.EVENTS, payload)
    assert [row.person for row in scene.store.rows if row.kind == "access.decision"] == [
        "Maya Okafor"
    ]


async def test_the_cache_is_made_anew_under_the_new_key(scene: Scene) -> None:
    await scene.cases.cache.refresh()
    first = scene.store.kept_caches["front"]
    asked = await begin(scene)
    offer(scene)
    new = take(scene)
    restart(scene, new)
    await asked
    await scene.settle()
    second = scene.store.kept_caches["front"]
    assert second.version == first.version + 1
    assert seal.tag(new, CARDS["member"]) in second.file
    assert seal.open_sealed(new, topics.CONFIG, scene.answers(topics.CONFIG)[-1])


async def test_both_keys_survive_a_restart_of_the_gateway(scene: Scene) -> None:
    asked = await begin(scene)
    offer(scene)
    new = take(scene)
    asked.cancel()
    signer = type(scene.signer)(scene.keys_directory)
    assert signer.epoch("front") == 1
    payload = scene.front.hello()
    signer.verify("front", topics.ONLINE, payload)
    scene.front.keys = new
    signer.verify("front", topics.ONLINE, scene.front.hello())
    assert type(scene.signer)(scene.keys_directory).epoch("front") == 2


async def test_a_word_under_a_next_key_that_nobody_made_is_refused(scene: Scene) -> None:
    scene.front.keys = seal.Keys("front", bytes(32), 2)
    scene.deliver(topics.ONLINE, scene.front.hello())
    assert scene.rejected() == 1
    assert scene.signer.epoch("front") == 1


async def test_who_cannot_be_rekeyed(scene: Scene) -> None:
    with pytest.raises(NotFound):
        await scene.cases.rekeying.rekey("nobody", "sam")
    with pytest.raises(Unavailable, match="offline"):
        await scene.cases.rekeying.rekey("back", "sam")
    asked = await begin(scene)
    with pytest.raises(Conflict, match="a key is on its way to front"):
        await scene.cases.rekeying.rekey("front", "sam")
    asked.cancel()


async def test_a_refusal_is_told(scene: Scene) -> None:
    asked = await begin(scene)
    challenge = json.loads(scene.front.open(topics.CONTROL, scene.answers(topics.CONTROL)[-1]))
    body = board_messages.command_result(challenge["command_id"], "unknown")
    scene.deliver(topics.COMMANDS_ACK, scene.front.say(topics.COMMANDS_ACK, body))
    with pytest.raises(Unavailable, match="refused"):
        await asked


async def test_a_board_that_was_adopted_again_was_not_rekeyed(scene: Scene) -> None:
    asked = await begin(scene)
    offer(scene)
    restart(scene, take(scene))
    await asked
    adoption = scene.signer.adopt("front")
    restart(scene, seal.Keys("front", bytes.fromhex(adoption.key), adoption.epoch))
    await scene.settle()
    assert [row.kind for row in scene.store.rows].count("device.rekeyed") == 1
    assert scene.rejected() == 0
