"""Roll-outs that meet, that are called back, and that get nowhere."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from stage import Scene
from stage.updating import (
    add,
    ask,
    audited,
    both,
    offers,
    reports,
    states,
    trusts,
    turns,
    two_boards,
)

from doorward.app.firmware_ports import Bundle
from doorward.app.messages.challenges import TTL_S
from doorward.app.updates.watch import LOOK_S, OFFERED_S
from doorward.domain import updates
from doorward.errors import Conflict, NotFound, Unavailable
from doorward_core import topics

OTHER = {"doorward_core/a.mpy": b"A" * 700}


@pytest.fixture
async def scene(scene: Scene, signing_key: Path) -> AsyncIterator[Scene]:
    async with two_boards(scene, signing_key):
        yield scene


async def begin(scene: Scene, names: list[str] | None, version: str | None = None) -> None:
    await scene.cases.updates.begin(names, version, actor="ada")
    await turns()


async def cancel(scene: Scene, names: list[str] | None) -> None:
    await scene.cases.updates.cancel(names, actor="bob")
    await turns()


async def test_two_roll_outs_of_two_versions_go_on_side_by_side(scene: Scene) -> None:
    await add(scene, "0.3.0", OTHER)
    await begin(scene, ["front"], "0.2.0")
    await trusts(scene, scene.front)
    await begin(scene, ["back"], "0.3.0")
    await trusts(scene, scene.back)
    (one,), (other,) = offers(scene, scene.front), offers(scene, scene.back)
    assert (one["version"], other["version"]) == ("0.2.0", "0.3.0")
    for _ in range(3):
        assert ask(scene, scene.front, one["number"], int(str(one["size"]))) == b"a" * 384
        assert ask(scene, scene.back, other["number"], int(str(other["size"]))) == b"A" * 384
    scene.deliver(topics.ONLINE, scene.front.hello())
    await turns()
    assert offers(scene, scene.front)[-1] == one
    await reports(scene, scene.back, "installed")
    await reports(scene, scene.back, "confirmed")
    assert states(scene) == {"front": ("offered", ""), "back": ("confirmed", "")}


async def test_a_board_that_takes_no_key_keeps_no_other_roll_out_waiting(scene: Scene) -> None:
    await begin(scene, ["front"])
    await begin(scene, ["back"])
    await trusts(scene, scene.back)
    assert states(scene) == {"front": ("waiting", ""), "back": ("offered", "")}


async def test_a_board_is_given_one_key_at_a_time(scene: Scene) -> None:
    rekeying = asyncio.ensure_future(scene.cases.rekeying.rekey("back", "ada"))
    await turns()
    asked = len(scene.answers(topics.CONTROL, "back"))
    await begin(scene, ["back"])
    assert len(scene.answers(topics.CONTROL, "back")) == asked, "it has one nonce for both"
    with pytest.raises(Conflict, match="a key is on its way to back already"):
        await scene.cases.rekeying.rekey("back", "ada")
    scene.clock.advance(TTL_S)
    with pytest.raises(Unavailable, match="no word from board back"):
        await rekeying
    await trusts(scene, scene.back)
    assert states(scene) == {"back": ("offered", "")}


async def test_memory_holds_what_boards_are_given_and_no_more(scene: Scene) -> None:
    await begin(scene, ["front"])
    await trusts(scene, scene.front)
    await reports(scene, scene.front, "confirmed")
    await add(scene, "0.3.0", OTHER)
    await begin(scene, ["front"])
    (held,) = scene.cases.updates._offers._pieces.values()
    assert held.version == "0.3.0"


async def test_a_version_that_boards_are_given_is_not_replaced(scene: Scene) -> None:
    await both(scene)
    (offer,) = offers(scene, scene.back)
    with pytest.raises(Conflict, match=r"being updated to firmware 0\.2\.0; wait for them, cancel"):
        await add(scene, "0.2.0", OTHER)
    # Another version may come, and a gateway that starts again offers what it offered.
    await add(scene, "0.1.9", OTHER)
    scene.cases.updates._offers._pieces.clear()
    scene.deliver(topics.ONLINE, scene.back.hello(), "back")
    await turns()
    assert offers(scene, scene.back)[-1] == offer
    await cancel(scene, None)
    await add(scene, "0.2.0", OTHER)
    await begin(scene, ["back"])
    assert offers(scene, scene.back)[-1]["digest"] != offer["digest"]


async def test_a_version_is_not_replaced_while_its_roll_out_begins(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add(scene, "0.3.0")
    take, adding = scene.cases.shelf.take, []

    async def slow(version: str | None, *, actor: str) -> Bundle:
        bundle = await take(version, actor=actor)
        adding.append(asyncio.ensure_future(add(scene, "0.3.0", OTHER)))
        await turns()
        return bundle

    with monkeypatch.context() as patch:
        patch.setattr(scene.cases.shelf, "take", slow)
        await begin(scene, ["front"], "0.3.0")
    with pytest.raises(Conflict, match="being updated to firmware 0"):
        await adding[0]


async def test_an_offer_ends(scene: Scene) -> None:
    await both(scene)
    (offer,) = offers(scene, scene.back)
    now = int(scene.clock.now().timestamp())
    assert offer["until"] == now + updates.OFFER_S
    scene.clock.advance(updates.OFFER_S)
    await turns()
    assert states(scene)["back"] == ("failed", "the offer ended after 24 hours")
    assert ask(scene, scene.back, offer["number"], 0) is None


async def test_who_asks_and_gets_nowhere_keeps_nobody_waiting_for_ever(scene: Scene) -> None:
    await both(scene)
    (offer,) = offers(scene, scene.back)
    for turn in range(OFFERED_S // int(LOOK_S) + 1):
        assert states(scene)["back"][0] == "offered", turn
        # What comes spoiled is asked for again, from the beginning of its file.
        assert ask(scene, scene.back, offer["number"], 384 * (turn % 2))
        scene.clock.advance(LOOK_S)
        await asyncio.sleep(0)
    scene.clock.advance(LOOK_S)
    scene.clock.advance(LOOK_S)
    await turns()
    assert states(scene)["back"] == ("failed", "it got no further for 30 minutes")
    assert states(scene)["front"][0] == "stopped"


def goes_away(scene: Scene, name: str) -> None:
    device = scene.cases.fleet.find(name)
    assert device is not None
    device.online = False


async def test_a_board_that_is_away_when_its_turn_comes_is_waited_for(scene: Scene) -> None:
    await both(scene)
    goes_away(scene, "front")
    await reports(scene, scene.back, "confirmed")
    assert states(scene)["front"] == ("waiting", "")
    scene.deliver(topics.ONLINE, scene.front.hello())
    await trusts(scene, scene.front)
    assert states(scene)["front"] == ("offered", "")


async def test_a_board_that_stays_away_is_given_up(scene: Scene) -> None:
    await both(scene)
    goes_away(scene, "front")
    await reports(scene, scene.back, "confirmed")
    for _ in range(OFFERED_S // int(LOOK_S)):
        scene.clock.advance(LOOK_S)
        await asyncio.sleep(0)
    assert states(scene)["front"] == ("waiting", "")
    scene.clock.advance(LOOK_S)
    scene.clock.advance(LOOK_S)
    await turns()
    assert states(scene)["front"] == ("failed", "it was offline for 30 minutes")


async def test_who_gets_on_slowly_is_given_time(scene: Scene) -> None:
    await both(scene)
    (offer,) = offers(scene, scene.back)
    for offset in range(4):
        assert ask(scene, scene.back, offer["number"], offset)
        scene.clock.advance(OFFERED_S - 1)
        await turns()
    assert states(scene)["back"] == ("offered", "")


async def test_what_is_called_back_is_given_to_nobody(scene: Scene) -> None:
    await both(scene)
    (offer,) = offers(scene, scene.back)
    await cancel(scene, None)
    assert states(scene) == {"back": ("cancelled", "by bob"), "front": ("cancelled", "by bob")}
    refused = scene.rejected("back")
    assert ask(scene, scene.back, offer["number"], 0) is None
    assert scene.rejected("back") == refused, "it has not heard of that"
    assert audited(scene)[-2:] == [
        ("update.cancelled", "back", "bob"),
        ("update.cancelled", "front", "bob"),
    ]
    with pytest.raises(Conflict, match="no update is under way"):
        await cancel(scene, None)
    scene.cases.updates.resume()
    await turns()
    assert offers(scene, scene.front) == []


async def test_one_board_is_called_back_and_the_others_go_on(scene: Scene) -> None:
    await both(scene)
    await cancel(scene, ["back"])
    await trusts(scene, scene.front)
    assert states(scene) == {"back": ("cancelled", "by bob"), "front": ("offered", "")}


async def test_a_board_is_called_back_while_it_is_told_the_key(scene: Scene) -> None:
    await begin(scene, ["back", "front"])
    await cancel(scene, ["back"])
    await trusts(scene, scene.back)
    assert offers(scene, scene.back) == []
    await trusts(scene, scene.front)
    assert states(scene) == {"back": ("cancelled", "by bob"), "front": ("offered", "")}


async def test_what_is_installed_cannot_be_called_back(scene: Scene) -> None:
    with pytest.raises(NotFound, match="never told"):
        await cancel(scene, ["back"])
    await both(scene)
    await reports(scene, scene.back, "installed")
    with pytest.raises(Conflict, match="on trial; it goes back by itself"):
        await cancel(scene, ["back"])
    await cancel(scene, None)
    assert states(scene) == {"back": ("installed", ""), "front": ("cancelled", "by bob")}
    await reports(scene, scene.back, "confirmed")
    with pytest.raises(Conflict, match="is not being updated"):
        await cancel(scene, ["back"])


@pytest.mark.parametrize("late", ["cancelled", "failed"])
async def test_a_board_that_took_it_all_the_same_is_believed(scene: Scene, late: str) -> None:
    await both(scene)
    if late == "cancelled":
        await cancel(scene, None)
    else:
        for _ in range(OFFERED_S // int(LOOK_S) + 2):
            scene.clock.advance(LOOK_S)
            await asyncio.sleep(0)
        await turns()
    assert states(scene)["back"][0] == late
    stays = states(scene)["front"]
    await reports(scene, scene.back, "installed")
    await reports(scene, scene.back, "confirmed")
    assert states(scene) == {"back": ("confirmed", ""), "front": stays}
