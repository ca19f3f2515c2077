"""Offers that are repeated: what cannot be read any more, and a time of day that is set meanwhile."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from stage import Scene
from stage.updating import add, ask, offers, reports, states, trusts, turns, two_boards

from doorward.app.records import Firmware
from doorward.app.updates.deadlines import Deadlines
from doorward.app.updates.shelf import Shelf
from doorward.app.updates.watch import LOOK_S
from doorward.domain import updates
from doorward.errors import NotFound
from doorward.firmware import bundle
from doorward_core import topics

DAY_S = 24 * 3600


@pytest.fixture
async def scene(scene: Scene, signing_key: Path) -> AsyncIterator[Scene]:
    async with two_boards(scene, signing_key):
        yield scene


@pytest.fixture
async def two(scene: Scene) -> Scene:
    """Each board has an offer of its own roll-out, with a version of its own."""
    await add(scene, "0.3.0", {"doorward_core/a.mpy": b"A" * 700})
    for board, version in ((scene.back, "0.2.0"), (scene.front, "0.3.0")):
        await scene.cases.updates.begin([board.id], version, actor="ada")
        await trusts(scene, board)
    return scene


def spoil(scene: Scene, version: str) -> None:
    """What is kept of it cannot be unpacked, and a gateway that has just started has nothing of it in memory."""
    held, bundle = scene.store.bundles[version]
    scene.store.bundles[version] = held, bundle[:-1]
    scene.cases.updates._offers._pieces.clear()


def set_clock(scene: Scene, seconds: float) -> None:
    scene.clock.set_by += timedelta(seconds=seconds)


async def look(scene: Scene) -> None:
    scene.clock.advance(LOOK_S)
    await turns()


async def test_who_cannot_be_offered_it_again_keeps_no_other_board_waiting(two: Scene) -> None:
    (offer,) = offers(two, two.front)
    spoil(two, "0.2.0")  # the back board's, which is looked at first
    await look(two)
    state, why = states(two)["back"]
    assert (state, why[:27]) == ("failed", "this is no firmware bundle:")
    assert states(two)["front"] == ("offered", "")
    assert offers(two, two.front) == [offer, offer]
    row = two.store.rows[-1]
    assert (row.kind, row.device, row.note) == ("update.failed", "back", why)


async def test_a_board_that_comes_back_for_what_cannot_be_read_is_told_of_as_failed(
    two: Scene,
) -> None:
    spoil(two, "0.3.0")
    two.deliver(topics.ONLINE, two.front.hello())
    await turns()
    assert states(two)["front"][0] == "failed"
    assert states(two)["back"] == ("offered", "")
    with pytest.raises(NotFound):
        await two.cases.updates.begin(["front"], "0.4.0", actor="ada")


@pytest.mark.parametrize("days", [1, 400])
async def test_a_clock_that_is_put_forward_ends_no_offer(two: Scene, days: int) -> None:
    (offer,) = offers(two, two.back)
    set_clock(two, days * DAY_S)
    await look(two)
    assert states(two) == {"back": ("offered", ""), "front": ("offered", "")}
    # The board has the new time from us, too, and lets go of what had to be fetched by then.
    again = offers(two, two.back)[-1]
    assert again["number"] == offer["number"]
    made = int(two.clock.now().timestamp()) - int(LOOK_S)
    assert made <= int(str(again["until"])) - updates.OFFER_S <= made + LOOK_S
    assert two.store.orders["back"].until == again["until"], "a gateway that starts again knows it"
    assert ask(two, two.back, offer["number"], 0)


async def test_it_is_given_its_day_and_no_more(two: Scene) -> None:
    (offer,) = offers(two, two.back)
    set_clock(two, 3 * DAY_S)
    for offset in range(71):
        assert ask(two, two.back, offer["number"], offset), offset  # it gets on, if slowly
        two.clock.advance(DAY_S / 72)
        await turns()
    assert states(two)["back"] == ("offered", "")
    assert ask(two, two.back, offer["number"], 71)
    two.clock.advance(DAY_S / 72 + LOOK_S)
    await turns()
    assert states(two)["back"] == ("failed", "the offer ended after 24 hours")


async def test_who_says_hello_after_the_clock_was_set_is_offered_what_it_may_still_take(
    two: Scene,
) -> None:
    set_clock(two, DAY_S + 1)
    two.deliver(topics.ONLINE, two.back.hello(), "back")
    await turns()
    now = int(two.clock.now().timestamp())
    assert int(str(offers(two, two.back)[-1]["until"])) == now + updates.OFFER_S


async def test_a_clock_that_was_behind_only_since_the_start_makes_no_longer_day(two: Scene) -> None:
    set_clock(two, -400 * DAY_S)
    deadlines = Deadlines(two.cases.updates._orders, two.clock)  # of a gateway that starts then
    set_clock(two, 400 * DAY_S)
    await deadlines.keep()
    now = int(two.clock.now().timestamp())
    assert two.store.orders["back"].until == now + updates.OFFER_S


async def test_what_is_offered_after_the_clock_was_put_back_has_its_day(scene: Scene) -> None:
    set_clock(scene, -DAY_S)
    await scene.cases.updates.begin(["back"], None, actor="ada")
    await trusts(scene, scene.back)
    await look(scene)
    assert states(scene)["back"] == ("offered", "")
    ends = int(scene.clock.now().timestamp()) - int(LOOK_S) + updates.OFFER_S
    assert [offer["until"] for offer in offers(scene, scene.back)] == [ends, ends]
    await reports(scene, scene.back, "confirmed")
    assert states(scene)["back"] == ("confirmed", "")


async def test_a_version_that_no_board_can_keep_is_left_out_and_said(scene: Scene) -> None:
    await add(scene, "0.3.0")
    bad = Firmware("9.9 beta", 0, 600, 1, "ada")
    scene.store.bundles[bad.version] = bad, b"whatever"
    cases = scene.cases
    with structlog.testing.capture_logs() as told:
        announcer = cases.shelf._announcer
        shelf = Shelf(scene.store, scene.signer, announcer, scene.clock, lambda _: False, bundle)
    assert [view.version for view in shelf.list()] == ["0.3.0"]
    assert shelf.available("0.1.0") == "0.3.0"
    (said,) = told
    assert (said["event"], said["log_level"]) == ("firmware.left_out", "warning")
    assert said["version"] == "9.9 beta"
    with pytest.raises(NotFound, match=r"no firmware 9\.9 beta"):
        await shelf.take("9.9 beta", actor="ada")
