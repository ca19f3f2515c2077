"""Updates from board to board: the key first, one offer at a time, and no board after one that failed."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from stage import Scene
from stage.updating import (
    FILES,
    ask,
    audited,
    both,
    offers,
    reports,
    say,
    states,
    trusts,
    turns,
    two_boards,
)

from doorward.app.updates.watch import INSTALLED_S, LOOK_S, OFFERED_S
from doorward.domain import updates
from doorward.errors import Conflict, InvalidInput, NotFound, NothingToDo, Unavailable
from doorward.firmware.bundle import Bundle
from doorward_core import topics
from doorward_core.messages import encode


@pytest.fixture
async def scene(scene: Scene, signing_key: Path) -> AsyncIterator[Scene]:
    async with two_boards(scene, signing_key):
        yield scene


async def test_from_the_order_to_a_board_that_runs_it(scene: Scene) -> None:
    assert scene.cases.devices.get("front").available == "0.2.0"
    await scene.cases.updates.begin(["front"], None, actor="ada")
    modulus = await trusts(scene, scene.front)
    assert len(modulus) == 384
    (offer,) = offers(scene, scene.front)
    stream, total = b"", offer["size"]
    assert isinstance(total, int)
    while len(stream) < total + 600:
        piece = ask(scene, scene.front, offer["number"], len(stream))
        assert piece
        assert len(piece) <= 384
        stream += piece
        assert len(stream) <= total or len(stream) - len(piece) >= total, "up to the manifest's end"
    manifest = stream[:total]
    assert hashlib.sha256(manifest).hexdigest() == offer["digest"]
    assert stream[total:] == b"a" * 500 + b"b" * 100
    block = pow(
        int.from_bytes(base64.b64decode(str(offer["signature"]))), 65537, int.from_bytes(modulus)
    )
    assert block.to_bytes(384).endswith(hashlib.sha256(manifest).digest())
    view = scene.cases.updates.of("front")
    assert view is not None
    assert view.percent > 80
    await reports(scene, scene.front, "installed")
    assert ask(scene, scene.front, offer["number"], 0) is None, "it has all of it"
    await reports(scene, scene.front, "confirmed")
    assert states(scene) == {"front": ("confirmed", "")}
    assert audited(scene) == [
        ("firmware.signed", None, "ada"),
        ("firmware.added", None, "ada"),
        ("device.trusts", "front", "ada"),
        ("update.offered", "front", "ada"),
        ("update.installed", "front", "ada"),
        ("update.confirmed", "front", "ada"),
    ]


async def test_boards_take_their_turns(scene: Scene) -> None:
    await both(scene)
    assert states(scene) == {"back": ("offered", ""), "front": ("waiting", "")}
    assert offers(scene, scene.front) == []
    await reports(scene, scene.back, "installed")
    assert offers(scene, scene.front) == []
    await reports(scene, scene.back, "confirmed")
    await trusts(scene, scene.front)
    assert len(offers(scene, scene.front)) == 1
    with pytest.raises(Conflict, match="is being updated"):
        await scene.cases.updates.begin(["front"], None, actor="ada")


@pytest.mark.parametrize("state", ["refused", "rolled back"])
async def test_where_one_fails_the_others_keep_what_they_have(scene: Scene, state: str) -> None:
    await both(scene)
    await reports(scene, scene.back, state, "digest")
    assert states(scene) == {"back": (state, "digest"), "front": ("stopped", "back: digest")}
    assert offers(scene, scene.front) == []
    assert audited(scene)[-2:] == [
        ("update." + state.replace(" ", "_"), "back", "ada"),
        ("update.stopped", "front", "ada"),
    ]


async def test_a_board_that_runs_it_already_is_no_failure(scene: Scene) -> None:
    await both(scene)
    await reports(scene, scene.back, "refused", "current")
    assert states(scene)["back"][0] == "confirmed"
    await trusts(scene, scene.front)
    assert len(offers(scene, scene.front)) == 1


async def test_a_board_that_takes_no_key_fails_and_stops_the_rest(scene: Scene) -> None:
    await scene.cases.updates.begin(None, None, actor="ada")
    await turns()
    scene.clock.advance(21)
    await turns()
    assert states(scene)["back"][0] == "failed"
    assert "did not take the key" in states(scene)["back"][1]
    assert states(scene)["front"][0] == "stopped"


async def test_it_is_offered_again_to_who_is_silent_or_comes_back(scene: Scene) -> None:
    await both(scene)
    scene.clock.advance(LOOK_S)
    await turns()
    assert len(offers(scene, scene.back)) == 2
    scene.deliver(topics.ONLINE, scene.back.hello(), "back")
    await turns()
    assert len(offers(scene, scene.back)) == 3
    assert len({offer["number"] for offer in offers(scene, scene.back)}) == 1


@pytest.mark.parametrize(
    ("state", "limit", "why"),
    [
        (None, OFFERED_S, "it got no further for {} minutes"),
        ("installed", INSTALLED_S, "no word for {} minutes"),
    ],
)
async def test_nobody_waits_for_ever(scene: Scene, state: str | None, limit: int, why: str) -> None:
    await both(scene)
    if state:
        await reports(scene, scene.back, state)
    for _ in range(limit // 600 + 1):
        assert states(scene)["front"] == ("waiting", "")
        for _ in range(30):
            scene.clock.advance(LOOK_S)
            await asyncio.sleep(0)
        await turns()
    assert states(scene)["back"] == ("failed", why.format(limit // 60))
    assert states(scene)["front"][0] == "stopped"


async def test_pieces_are_for_who_was_offered_them(scene: Scene) -> None:
    await both(scene)
    (offer,) = offers(scene, scene.back)
    before = scene.rejected("front"), scene.rejected("back")
    assert ask(scene, scene.front, offer["number"], 0) is None
    assert ask(scene, scene.back, 7, 0) is None
    assert ask(scene, scene.back, offer["number"], 1 << 40) is None
    assert (scene.rejected("front"), scene.rejected("back")) == (before[0] + 1, before[1] + 2)
    assert ask(scene, scene.back, offer["number"], 0)


async def test_what_cannot_be_is_refused_before_anything_is_signed(scene: Scene) -> None:
    begin = scene.cases.updates.begin
    with pytest.raises(NotFound, match="no board 'side'"):
        await begin(["side"], None, actor="ada")
    with pytest.raises(NotFound, match=r"known: 0\.2\.0"):
        await begin(["front"], "7", actor="ada")
    device = scene.cases.fleet.find("front")
    assert device is not None
    device.online = False
    with pytest.raises(Unavailable, match="offline"):
        await begin(["front"], None, actor="ada")
    device.firmware = None
    back = scene.cases.fleet.find("back")
    assert back is not None
    back.firmware = "0.2.0"
    with pytest.raises(NothingToDo, match="every board that is online"):
        await begin(None, None, actor="ada")
    assert states(scene) == {}


async def test_only_what_this_site_has_signed_is_kept(scene: Scene) -> None:
    bundle = Bundle("0.3.0", 0, FILES)
    with pytest.raises(InvalidInput, match="not signed by this site"):
        await scene.cases.shelf.add(bundle.pack(), actor="ada")
    other = bundle.signed(b"\1" * 384)
    with pytest.raises(InvalidInput, match="not signed by this site"):
        await scene.cases.shelf.add(other.pack(), actor="ada")
    signed = await scene.cases.shelf.sign(bundle, actor="ada")
    assert (await scene.cases.shelf.add(signed.pack(), actor="ada")).version == "0.3.0"
    assert [view.version for view in scene.cases.shelf.list()] == ["0.2.0", "0.3.0"]
    assert scene.cases.devices.get("front").available == "0.3.0"


async def test_a_gateway_that_starts_again_goes_on(scene: Scene) -> None:
    await both(scene)
    (offer,) = offers(scene, scene.back)
    rollouts = scene.cases.updates
    rollouts._offers._pieces.clear()  # as after a start
    say(scene, scene.back, encode({"want": "firmware", "version": offer["number"], "offset": 0}))
    assert len(offers(scene, scene.back)) == 1
    scene.deliver(topics.ONLINE, scene.back.hello(), "back")
    await turns()
    assert ask(scene, scene.back, offer["number"], 0)
    await reports(scene, scene.back, "installed")
    order = scene.store.orders["back"]
    await rollouts._orders.put([order.turned(updates.CONFIRMED, order.changed_ms)])
    rollouts.resume()
    await trusts(scene, scene.front)
    assert len(offers(scene, scene.front)) == 1


@pytest.mark.parametrize("said", [("installed", "confirmed"), ("confirmed",)])
async def test_what_a_board_said_right_before_a_kill_counts(
    scene: Scene, said: tuple[str, ...]
) -> None:
    await both(scene)
    rollouts = scene.cases.updates
    # Its words are on record and acknowledged, and then the gateway is gone.
    scene.cases.events.happened.remove(rollouts.happened)
    for state in said:
        await reports(scene, scene.back, state)
    assert states(scene)["back"] == ("offered", "")
    rollouts.resume()
    await turns()
    assert states(scene)["back"] == ("confirmed", "")
    await trusts(scene, scene.front)
    assert len(offers(scene, scene.front)) == 1


async def test_a_refusal_right_before_a_kill_stops_the_rest(scene: Scene) -> None:
    await both(scene)
    scene.cases.events.happened.remove(scene.cases.updates.happened)
    await reports(scene, scene.back, "refused", "digest")
    scene.cases.updates.resume()
    await turns()
    assert states(scene) == {"back": ("refused", "digest"), "front": ("stopped", "back: digest")}


async def test_what_comes_while_a_silent_board_is_given_up_counts(scene: Scene) -> None:
    await both(scene)
    rollouts = scene.cases.updates
    async with rollouts._changing:
        scene.clock.advance(OFFERED_S + LOOK_S)
        scene.deliver(
            topics.EVENTS,
            scene.back.event(
                "update",
                {
                    "order": scene.store.orders["back"].number,
                    "version": "0.2.0",
                    "state": "confirmed",
                },
            ),
            "back",
        )
        await turns()
    await turns()
    assert states(scene)["back"] == ("confirmed", "")
