"""Self-tests of boards: on record first, one at a time, moved only by a release, and over when they should be."""

import json
from dataclasses import replace
from typing import Any

import pytest
from stage import Scene

from doorward.app.devices import selftests
from doorward.app.views.boards import SelfTest
from doorward.errors import Conflict, InvalidInput, NotFound, Unavailable
from doorward_core import board_messages, topics
from doorward_core.messages import encode

STAYED = {"first": 0, "held": [40, 0, 0], "released": [60, 0, 0]}


@pytest.fixture
def scene(scene: Scene) -> Scene:
    scene.deliver(topics.ONLINE, scene.front.hello())
    return scene


def orders(scene: Scene) -> list[dict[str, Any]]:
    return [
        json.loads(scene.front.open(topics.CONTROL, one)) for one in scene.answers(topics.CONTROL)
    ]


def say(scene: Scene, body: bytes) -> None:
    scene.deliver(topics.COMMANDS_ACK, scene.front.say(topics.COMMANDS_ACK, body))


def reads(scene: Scene, test: SelfTest, part: str, **data: object) -> None:
    say(scene, encode({"command_id": test.id, "part": part, "data": data}))


def ends(scene: Scene, test: SelfTest, result: str = "done") -> None:
    say(scene, board_messages.command_result(test.id, result))


def latest(scene: Scene) -> SelfTest:
    found = scene.cases.selftests.get("front")
    assert found is not None
    return found


async def test_what_the_board_reads_becomes_what_to_do(scene: Scene) -> None:
    assert scene.cases.selftests.get("front") is None
    test = await scene.cases.selftests.start("front", "sam")
    order = orders(scene)[-1]
    assert (order["command"], order["command_id"]) == ("selftest", test.id)
    assert order["parameters"]["near"][0] == 5
    ends(scene, test, "started")
    reads(scene, test, "board", rssi=-90)
    assert latest(scene).running
    assert latest(scene).findings == ()
    ends(scene, test)
    assert latest(scene).state == "done"
    assert [finding.code for finding in latest(scene).findings] == ["wifi.weak"]
    row = scene.store.rows[-1]
    assert (row.kind, row.actor, row.device, row.note) == (
        "selftest.requested",
        "sam",
        "front",
        test.id,
    )
    assert not [order for order in orders(scene) if order["command"] == "challenge"]


async def test_nothing_is_asked_that_is_not_on_record(scene: Scene) -> None:
    before = len(orders(scene))
    scene.store.error = Unavailable("the disk is full")
    with pytest.raises(Unavailable):
        await scene.cases.selftests.start("front", "sam")
    assert len(orders(scene)) == before
    scene.store.error = None
    await scene.cases.selftests.start("front", "sam")


async def test_one_at_a_time_and_only_of_a_board_that_is_there(scene: Scene) -> None:
    start = scene.cases.selftests.start
    await start("front", "sam")
    with pytest.raises(Conflict, match="tests itself already"):
        await start("front", "kim")
    with pytest.raises(NotFound):
        await start("ghost", "sam")
    with pytest.raises(Unavailable, match="never heard"):
        await start("back", "sam")
    scene.deliver(topics.OFFLINE, b'{"status":"offline"}')
    scene.clock.advance(selftests.TTL_S)
    with pytest.raises(Unavailable, match="was heard last at"):
        await start("front", "sam")


async def test_a_board_that_says_nothing_more_ends_its_test(scene: Scene) -> None:
    test = await scene.cases.selftests.start("front", "sam")
    reads(scene, test, "board", rssi=-90)
    scene.clock.advance(selftests.TTL_S)
    assert latest(scene).state == "failed"
    assert "no word from front" in str(latest(scene).note)
    reads(scene, test, "flash", free=1)
    assert "flash" not in latest(scene).readings


@pytest.mark.parametrize(
    ("result", "words"),
    [("failed", "no room"), ("already", "tests itself already"), ("unknown", "knows no self-test")],
)
async def test_a_board_that_cannot_says_why(scene: Scene, result: str, words: str) -> None:
    test = await scene.cases.selftests.start("front", "sam")
    ends(scene, test, result)
    assert latest(scene).state == "failed"
    assert words in str(latest(scene).note)


async def test_the_lock_is_moved_by_a_release_alone_and_only_when_the_board_watches(
    scene: Scene,
) -> None:
    test = await scene.cases.selftests.start("front", "sam", move=True)
    ends(scene, test)
    order = orders(scene)[-1]
    assert order["parameters"] == {"watch": selftests.WATCH_MS}
    assert latest(scene).state == "reading"
    scene.clock.advance(selftests.HOLD_S)
    assert not [one for one in orders(scene) if one["command"] == "challenge"]
    reads(scene, test, "lock", watching=True)
    assert latest(scene).state == "watching"
    scene.clock.advance(selftests.HOLD_S)
    await scene.settle()
    assert latest(scene).state == "released"
    assert orders(scene)[-1]["command"] == "challenge"
    kinds = [row.kind for row in scene.store.rows]
    assert kinds[-2:] == ["selftest.requested", "release.requested"]
    assert {row.actor for row in scene.store.rows[-2:]} == {"sam"}
    reads(scene, test, "lock", **STAYED)
    ends(scene, test)
    assert latest(scene).unsure
    for click, code in ((True, "lock.supply"), (False, "relay.dead")):
        found = scene.cases.selftests.heard("front", click=click)
        assert [finding.code for finding in found.findings] == [code]


async def test_nobody_heard_what_was_not_tried(scene: Scene) -> None:
    with pytest.raises(Conflict):
        scene.cases.selftests.heard("front", click=True)
    await scene.cases.selftests.start("front", "sam")
    with pytest.raises(Conflict):
        scene.cases.selftests.heard("front", click=True)


async def test_a_release_that_fails_ends_the_test(scene: Scene) -> None:
    test = await scene.cases.selftests.start("front", "sam", move=True)
    ends(scene, test)
    reads(scene, test, "lock", watching=True)
    scene.deliver(topics.OFFLINE, b'{"status":"offline"}')
    scene.clock.advance(selftests.HOLD_S)
    await scene.settle()
    assert latest(scene).state == "failed"
    assert "not released" in str(latest(scene).note)


async def test_another_board_s_words_are_not_this_test_s(scene: Scene) -> None:
    test = await scene.cases.selftests.start("front", "sam")
    scene.deliver(topics.ONLINE, scene.back.hello(), device="back")
    body = encode({"command_id": test.id, "part": "flash", "data": {"free": 1}})
    scene.deliver(topics.COMMANDS_ACK, scene.back.say(topics.COMMANDS_ACK, body), device="back")
    reads(scene, SelfTest("cmd_0", "front", "sam", "reading", test.began_at), "flash", free=1)
    assert latest(scene).readings == {}


async def test_a_diagram_marks_what_is_wrong(scene: Scene) -> None:
    plain = scene.cases.selftests.diagram("front")
    assert "check this" not in plain
    test = await scene.cases.selftests.start("front", "sam")
    reads(scene, test, "inputs", of=80, **{"rex.pin": 0})
    ends(scene, test)
    assert scene.cases.selftests.diagram("front").count("check this") == 1


async def test_a_lock_that_nobody_could_see_move_is_not_moved(scene: Scene) -> None:
    (board,) = (one for one in scene.store.boards.values() if one.id == "front")
    scene.cases.selftests._boards = lambda device: replace(
        scene.cases.devices.get(device), board="lamp-esp32"
    )
    with pytest.raises(InvalidInput, match="no strike"):
        await scene.cases.selftests.start(board.id, "sam", move=True)
    assert not orders(scene)
    assert await scene.cases.selftests.start(board.id, "sam")


async def test_a_test_that_could_not_be_asked_for_is_over(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> bool:
        raise Unavailable("the signer does not answer")

    with monkeypatch.context() as patched:
        patched.setattr(scene.cases.fleet, "tell", away)
        with pytest.raises(Unavailable):
            await scene.cases.selftests.start("front", "sam")
    await scene.cases.selftests.start("front", "sam")


async def test_a_test_that_is_over_stays_so_though_its_release_comes_later(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    test = await scene.cases.selftests.start("front", "sam", move=True)
    ends(scene, test)
    reads(scene, test, "lock", watching=True)
    opened = scene.cases.releases.open

    async def late(door: str, actor: str) -> object:
        ends(scene, test)
        return await opened(door, actor)

    monkeypatch.setattr(scene.cases.releases, "open", late)
    scene.clock.advance(selftests.HOLD_S)
    await scene.settle()
    assert latest(scene).state == "done"
    await scene.cases.selftests.start("front", "sam")


async def test_half_a_character_of_a_board_breaks_no_page(scene: Scene) -> None:
    test = await scene.cases.selftests.start("front", "sam")
    odd = b'{"command_id":"%s","part":"board","data":{"\\udc00":["\\ud800",{"a":"\\udfff"}],"rssi":-90}}'
    say(scene, odd % test.id.encode())
    ends(scene, test)
    assert latest(scene).readings["board"]["rssi"] == -90
    json.dumps(latest(scene).readings, ensure_ascii=False).encode()
