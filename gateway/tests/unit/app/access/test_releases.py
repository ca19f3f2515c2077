"""Remote release: on record first, one command per challenge, opened only by the board's own word."""

import json

import pytest
from stage import Scene

from doorward.app.views.access import Release
from doorward.errors import Conflict, NotFound, Unavailable
from doorward_core import board_messages, seal, topics

NONCE = bytes(range(16))


@pytest.fixture
def scene(scene: Scene) -> Scene:
    scene.deliver(topics.ONLINE, scene.front.hello())
    scene.log.clear()
    return scene


def commands(scene: Scene) -> list[tuple[str, dict[str, object]]]:
    """The commands so far: kind of freshness, body."""
    return [
        (seal.split(payload).freshness[0], json.loads(scene.front.open(topics.CONTROL, payload)))
        for payload in scene.answers(topics.CONTROL)
    ]


def offer(scene: Scene, release: Release, nonce: bytes = NONCE) -> None:
    body = board_messages.challenge_answer(release.id, nonce)
    scene.deliver(topics.COMMANDS_ACK, scene.front.say(topics.COMMANDS_ACK, body))


def opened(scene: Scene, release: Release) -> None:
    data = {"locked": False, "cause": "release", "command_id": release.id}
    scene.deliver(topics.EVENTS, scene.front.event("lock.changed", data))


def state(scene: Scene) -> str:
    release = scene.cases.states.get("front").release
    return release.state if release else "none"


async def test_from_the_button_to_the_boards_own_word(scene: Scene) -> None:
    release = await scene.cases.releases.open("Front door", "sam")
    assert release.state == "unknown"
    assert [row.kind for row in scene.store.rows] == ["release.requested"]
    assert [(kind, body["command"]) for kind, body in commands(scene)] == [("s", "challenge")]

    offer(scene, release)
    kind, unlock = commands(scene)[-1]
    assert (kind, unlock["command"], unlock["parameters"]) == ("n", "unlock", {"seconds": 5})
    assert seal.split(scene.answers(topics.CONTROL)[-1]).freshness == seal.nonce_word(NONCE)

    body = board_messages.command_result(release.id, "done")
    scene.deliver(topics.COMMANDS_ACK, scene.front.say(topics.COMMANDS_ACK, body))
    assert state(scene) == "unknown"  # its word over MQTT is not its log

    opened(scene, release)
    assert state(scene) == "opened"
    assert [(row.kind, row.actor) for row in scene.store.rows] == [
        ("release.requested", "sam"),
        ("lock.changed", "sam"),
    ]


async def test_nothing_is_sent_that_is_not_on_record(scene: Scene) -> None:
    scene.store.error = OSError("disk full")
    with pytest.raises(OSError, match="disk full"):
        await scene.cases.releases.open("front", "sam")
    assert commands(scene) == []
    assert state(scene) == "failed"


async def test_without_a_word_it_expires_and_nothing_moves_any_more(scene: Scene) -> None:
    release = await scene.cases.releases.open("front", "sam")
    scene.clock.advance(9.9)
    assert state(scene) == "unknown"
    scene.clock.advance(0.2)
    assert state(scene) == "expired"
    offer(scene, release)
    assert [body["command"] for _, body in commands(scene)] == ["challenge"]
    assert scene.store.rows[-1].kind == "release.expired"


async def test_what_the_board_tells_late_is_still_what_happened(scene: Scene) -> None:
    release = await scene.cases.releases.open("front", "sam")
    offer(scene, release)
    scene.clock.advance(11)
    opened(scene, release)
    assert state(scene) == "opened"


async def test_a_second_nonce_gets_no_second_command(scene: Scene) -> None:
    release = await scene.cases.releases.open("front", "sam")
    offer(scene, release)
    offer(scene, release, bytes(16))
    assert [body["command"] for _, body in commands(scene)] == ["challenge", "unlock"]


async def test_a_nonce_from_another_board_is_not_taken(scene: Scene) -> None:
    release = await scene.cases.releases.open("front", "sam")
    scene.deliver(topics.ONLINE, scene.back.hello(), device="back")
    body = board_messages.challenge_answer(release.id, NONCE)
    scene.deliver(topics.COMMANDS_ACK, scene.back.say(topics.COMMANDS_ACK, body), device="back")
    assert [body["command"] for _, body in commands(scene)] == ["challenge"]


async def test_a_replayed_ack_is_refused(scene: Scene) -> None:
    first = await scene.cases.releases.open("front", "sam")
    payload = scene.front.say(topics.COMMANDS_ACK, board_messages.challenge_answer(first.id, NONCE))
    scene.deliver(topics.COMMANDS_ACK, payload)
    scene.deliver(topics.COMMANDS_ACK, payload)
    assert scene.rejected() == 1


@pytest.mark.parametrize("result", ["already", "refused", "unknown"])
async def test_a_board_that_says_no_ends_it(scene: Scene, result: str) -> None:
    release = await scene.cases.releases.open("front", "sam")
    body = board_messages.command_result(release.id, result)
    scene.deliver(topics.COMMANDS_ACK, scene.front.say(topics.COMMANDS_ACK, body))
    assert state(scene) == "failed"
    assert scene.store.rows[-1].kind == "release.failed"


async def test_one_at_a_time(scene: Scene) -> None:
    await scene.cases.releases.open("front", "sam")
    with pytest.raises(Conflict, match="being opened already"):
        await scene.cases.releases.open("front", "kim")
    scene.clock.advance(11)
    await scene.cases.releases.open("front", "kim")


async def test_an_offline_board_is_never_asked_later(scene: Scene) -> None:
    scene.deliver(topics.OFFLINE, b'{"status":"offline"}')
    with pytest.raises(Unavailable, match="offline"):
        await scene.cases.releases.open("front", "sam")
    assert scene.store.rows == []
    scene.deliver(topics.ONLINE, scene.front.hello())
    assert commands(scene) == []


async def test_a_door_that_there_is_not(scene: Scene) -> None:
    with pytest.raises(NotFound, match="known: back, front"):
        await scene.cases.releases.open("cellar", "sam")
