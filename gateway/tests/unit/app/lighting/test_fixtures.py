"""Lamps and motion sensors: what boards report, and what is asked of them."""

import asyncio
import json
from datetime import timedelta

import pytest
from stage import Scene

from doorward.app.lighting.lights import TTL_S, LightOrder
from doorward.app.views.fixtures import LightView, Lockout, MotionView
from doorward.errors import Conflict, InvalidInput, NotFound, Unavailable
from doorward_core import board_messages, lockout, topics, vault_messages

LIGHT = {"level": 40, "kelvin": 2700, "cause": "button"}
NONCE = bytes(range(16))


@pytest.fixture
def scene(scene: Scene) -> Scene:
    scene.deliver(topics.ONLINE, scene.front.hello())
    return scene


def report(scene: Scene, lock: str | None = None, **more: object) -> None:
    body = board_messages.reported(lock, None, None, 0, "0.1.0", more)
    scene.deliver(topics.REPORTED, scene.front.say(topics.REPORTED, body))


def command(scene: Scene) -> dict[str, object]:
    said: dict[str, object] = json.loads(
        scene.front.open(topics.CONTROL, scene.answers(topics.CONTROL)[-1])
    )
    return said


def result(scene: Scene, command_id: object, words: str, *, device: str = "front") -> None:
    body = board_messages.command_result(str(command_id), words)
    board = scene.front if device == "front" else scene.back
    scene.deliver(topics.COMMANDS_ACK, board.say(topics.COMMANDS_ACK, body), device)


async def test_what_a_board_reports_is_told(scene: Scene) -> None:
    assert scene.cases.fixtures.lights() == ()
    await scene.news()
    report(scene, light=LIGHT, motion=None)
    light = scene.cases.fixtures.light("front door")
    assert (light.id, light.level, light.kelvin, light.cause) == ("front", 40, 2700, "button")
    (sensor,) = scene.cases.fixtures.sensors()
    assert (sensor.motion, sensor.online) == (None, True)
    told = [type(item) for item in await scene.news()]
    assert LightView in told
    assert MotionView in told
    # The same once more is no news.
    report(scene, light=LIGHT, motion=None)
    assert not [one for one in await scene.news() if isinstance(one, LightView | MotionView)]


def test_who_comes_is_seen_and_is_no_row_of_the_audit(scene: Scene) -> None:
    report(scene, motion=False)
    rows = len(scene.store.rows)
    scene.deliver(topics.EVENTS, scene.front.event("motion", {}))
    assert scene.cases.fixtures.sensors()[0].moved_at == scene.clock.now()
    assert len(scene.store.rows) == rows
    beat = board_messages.heartbeat(5000, None, "2026-11-21T10:30:00Z", {"battery_mv": 3712})
    scene.deliver(topics.HEARTBEAT, scene.front.say(topics.HEARTBEAT, beat))
    assert scene.cases.fixtures.sensors()[0].battery_mv == 3712


async def test_a_lamp_is_set_on_record_and_done_when_the_board_says_so(scene: Scene) -> None:
    report(scene, light=LIGHT)
    asked = asyncio.ensure_future(
        scene.cases.lights.set("front", LightOrder(80, 4000), actor="sam")
    )
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    told = command(scene)
    assert (told["command"], told["parameters"]) == ("set_light", {"level": 80, "kelvin": 4000})
    row = scene.store.rows[-1]
    assert (row.kind, row.actor, row.why) == (
        "light.set",
        "sam",
        "Front door: Set to 80 % at 4000 K.",
    )
    assert not asked.done()
    result(scene, "cmd_other", "done")
    assert not asked.done()
    result(scene, told["command_id"], "done")
    await asked


async def test_a_lamp_that_says_nothing_or_no_is_not_set(scene: Scene) -> None:
    report(scene, light=LIGHT)
    for words in ("unknown", None):
        asked = asyncio.ensure_future(scene.cases.lights.set("front", LightOrder(1), actor="sam"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        if words:
            result(scene, command(scene)["command_id"], words)
        else:
            scene.clock.advance(TTL_S)
        with pytest.raises(Unavailable):
            await asked


async def test_what_no_lamp_can_do_and_what_is_no_lamp(scene: Scene) -> None:
    with pytest.raises(NotFound, match="known: none yet"):
        await scene.cases.lights.set("front", LightOrder(1), actor="sam")
    report(scene, light=LIGHT)
    before = len(scene.store.rows)
    for order in (LightOrder(101), LightOrder(-1), LightOrder(1, 900), LightOrder(1, None, -1)):
        with pytest.raises(InvalidInput):
            await scene.cases.lights.set("front", order, actor="sam")
    assert len(scene.store.rows) == before
    scene.deliver(topics.OFFLINE, b"gone")
    with pytest.raises(Unavailable, match="offline"):
        await scene.cases.lights.set("front", LightOrder(1), actor="sam")


async def test_a_lockout_ends_by_a_challenge_and_the_boards_own_word(scene: Scene) -> None:
    with pytest.raises(Conflict, match="no vault"):
        await scene.cases.releases.end_lockout("front", "sam")
    report(scene, "locked", **vault_messages.status("LOCKED", None, None))
    with pytest.raises(Conflict, match="not locked out"):
        await scene.cases.releases.end_lockout("front", "sam")
    report(scene, "locked", **vault_messages.status(lockout.STATE, lockout.ERROR, None))
    assert scene.cases.states.get("front").lockout == Lockout("locked")

    release = await scene.cases.releases.end_lockout("front", "sam")
    offer = board_messages.challenge_answer(release.id, NONCE)
    scene.deliver(topics.COMMANDS_ACK, scene.front.say(topics.COMMANDS_ACK, offer))
    told = command(scene)
    assert (told["command"], told["parameters"]) == ("release", {})
    cause = {"cause": "release", "command_id": release.id, "turned_away": 3}
    scene.deliver(topics.EVENTS, scene.front.event("lockout.cleared", cause))
    view = scene.cases.states.get("front")
    assert view.lockout is None
    assert view.release is not None
    assert view.release.state == "opened"
    row = scene.store.rows[-1]
    assert (row.kind, row.actor) == ("lockout.cleared", "sam")


async def test_the_wait_of_a_keypad_ends_by_a_challenge_and_the_boards_own_word(
    scene: Scene,
) -> None:
    with pytest.raises(Conflict, match="no keypad of Front door waits"):
        await scene.cases.releases.end_wait("front", "sam")
    report(scene, "locked", hold_s=120)
    view = scene.cases.states.get("front")
    assert view.codes_until == scene.clock.now() + timedelta(seconds=120)
    assert view.lockout is None, "cards know nothing of it"

    release = await scene.cases.releases.end_wait("front", "sam")
    offer = board_messages.challenge_answer(release.id, NONCE)
    scene.deliver(topics.COMMANDS_ACK, scene.front.say(topics.COMMANDS_ACK, offer))
    told = command(scene)
    assert (told["command"], told["parameters"]) == ("release", {})
    cause = {"cause": "release", "command_id": release.id, "reader": 0, "wrong": 5}
    scene.deliver(topics.EVENTS, scene.front.event("lockout.cleared", cause))
    row = scene.store.rows[-1]
    assert (row.why, row.actor) == ("The keypad's wait was ended from afar.", "sam")
    report(scene, "locked")
    assert scene.cases.states.get("front").codes_until is None


@pytest.mark.parametrize(
    ("kind", "words", "note"),
    [
        ("end_wait", "already", "its keypad waits no longer"),
        (
            "end_wait",
            "refused",
            "its keypad was released once already, and only time ends this wait",
        ),
        ("end_lockout", "already", "there is no lockout that ends from afar"),
        ("end_lockout", "refused", "the board refused"),
    ],
)
async def test_what_did_not_end_is_told_in_its_own_words(
    scene: Scene, kind: str, words: str, note: str
) -> None:
    vault = vault_messages.status(lockout.STATE, lockout.ERROR, None)
    report(scene, "locked", **(vault if kind == "end_lockout" else {"hold_s": 120}))
    release = await scene.cases.releases.end_wait("front", "sam")
    assert release.kind == kind
    busy = "lockout" if kind == "end_lockout" else "keypad's wait"
    with pytest.raises(Conflict, match=f"was asked to end its {busy} already"):
        await scene.cases.releases.end_wait("front", "sam")
    result(scene, release.id, words)
    failed = scene.store.rows[-1]
    assert (failed.kind, failed.why) == ("release.failed", f"Nothing ended: {note}.")
    view = scene.cases.states.get("front").release
    assert view is not None
    assert (view.state, view.note) == ("failed", note)


async def test_the_wait_of_a_vault_is_its_lockout(scene: Scene) -> None:
    report(scene, "locked", **vault_messages.status(lockout.STATE, lockout.ERROR, None, 20))
    view = scene.cases.states.get("front")
    assert view.codes_until is None
    assert view.lockout == Lockout("locked", scene.clock.now() + timedelta(seconds=20))
    asked = await scene.cases.releases.end_wait("front", "sam")
    assert asked.kind == "end_lockout"
    assert scene.store.rows[-1].why == "Asked to end the lockout."


def test_a_vaults_attempts_are_counted_for_people(scene: Scene) -> None:
    report(scene, "locked", **vault_messages.status("LOCKED", None, None))
    body = vault_messages.metrics(4, 3, (1, 2), {}, 5, "2026-11-21T10:30:00Z")
    scene.deliver("telemetry/metrics", scene.front.say("telemetry/metrics", body))
    assert scene.cases.states.get("front").attempts == 4
