"""Who is there: only a live, fresh, sealed word of the board makes it so."""

import json
from datetime import timedelta
from typing import Any

import pytest
from stage import Scene

from doorward.app.views.fixtures import Lockout
from doorward_core import board_messages, lockout, seal, topics


def online(scene: Scene) -> bool:
    return scene.cases.states.get("front").online


def report(scene: Scene, lock: str = "locked", version: int = 3, **more: object) -> bytes:
    body = board_messages.reported(lock, "closed", None, version, "0.2.0", more)
    return scene.front.say(topics.REPORTED, body)


def test_a_live_hello_and_then_its_state(scene: Scene) -> None:
    scene.deliver(topics.ONLINE, scene.front.hello())
    scene.deliver(topics.REPORTED, report(scene, "unlocked"))
    view = scene.cases.states.get("front")
    assert (view.online, view.locked, view.contact) == (True, False, "closed")
    assert (view.policy_version, view.firmware) == (3, "0.2.0")


def test_a_retained_hello_tells_of_the_boot_and_not_of_presence(scene: Scene) -> None:
    scene.deliver(topics.ONLINE, scene.front.hello(), retained=True)
    assert not online(scene)
    scene.prove()
    assert online(scene)
    scene.deliver(topics.OFFLINE, b'{"status":"offline"}')
    scene.deliver(topics.HEARTBEAT, scene.front.say(topics.HEARTBEAT, b"{}"))
    assert online(scene)


def test_the_will_takes_the_green_dot_and_the_retained_hello(scene: Scene) -> None:
    scene.deliver(topics.ONLINE, scene.front.hello())
    scene.deliver(topics.OFFLINE, b'{"status":"offline"}')
    assert not online(scene)
    assert scene.wire.sent[-1] == ("doorward/devices/front/status/online", b"", True)


def test_clearing_a_retained_leaf_is_no_news(scene: Scene) -> None:
    scene.deliver(topics.ONLINE, scene.front.hello())
    scene.deliver(topics.OFFLINE, b"")
    scene.deliver(topics.ONLINE, b"", retained=True)
    assert online(scene)
    assert scene.rejected() == 0


def test_an_old_state_is_not_taken_again(scene: Scene) -> None:
    scene.deliver(topics.ONLINE, scene.front.hello())
    unlocked = report(scene, "unlocked")
    scene.deliver(topics.REPORTED, unlocked)
    scene.deliver(topics.REPORTED, report(scene, "locked"))
    scene.deliver(topics.REPORTED, unlocked)
    assert scene.cases.states.get("front").locked is True
    assert scene.rejected() == 1


def test_a_state_of_an_earlier_boot_is_not_taken(scene: Scene) -> None:
    scene.deliver(topics.ONLINE, scene.front.hello())
    before = report(scene, "unlocked")
    scene.front.boot = bytes(8)
    scene.deliver(topics.ONLINE, scene.front.hello())
    scene.deliver(topics.REPORTED, before)
    assert scene.cases.states.get("front").locked is None
    assert scene.rejected() == 1


def test_a_hello_of_an_earlier_boot_does_not_bring_it_back(scene: Scene) -> None:
    earlier = scene.front.hello()
    scene.deliver(topics.ONLINE, earlier)
    before = report(scene, "unlocked")
    scene.front.boot = bytes(8)
    scene.deliver(topics.ONLINE, scene.front.hello())
    for retained in (False, True):
        scene.deliver(topics.ONLINE, earlier, retained=retained)
    scene.deliver(topics.REPORTED, before)
    scene.deliver(topics.REPORTED, report(scene, "locked"))
    assert scene.cases.states.get("front").locked is True
    assert scene.rejected() == 3


def test_a_hello_from_before_what_the_log_says_is_an_earlier_boots(scene: Scene) -> None:
    """As after a restart of the gateway: it has heard of no boot yet, but it holds the log."""
    earlier = scene.front.hello()
    scene.deliver(topics.EVENTS, scene.front.event("boot", {}))
    scene.deliver(topics.ONLINE, earlier)
    assert not online(scene)
    scene.deliver(topics.ONLINE, scene.front.hello())
    assert online(scene)


def test_a_board_that_is_behind_its_log_hears_where_it_is_and_is_not_believed_before_it_goes_on(
    scene: Scene,
) -> None:
    """Its flash has lost its newest entries. Or an old hello is played back to us: then nobody hears the answer."""
    scene.deliver(topics.ONLINE, scene.front.hello())
    digests = []
    for _ in range(3):
        scene.deliver(topics.EVENTS, scene.front.event("boot", {}))
        digests.append(scene.front.digest)
    scene.front.boot, scene.front.seq = bytes(8), 1
    scene.told_held.clear()
    ahead = int(scene.clock.now().timestamp() * 1000) + 3_600_000
    scene.deliver(topics.ONLINE, scene.front.hello(heard=ahead))
    device = scene.cases.fleet.find("front")
    assert device is not None
    assert (device.boot == scene.front.boot, scene.rejected()) == (False, 1)
    [answer] = scene.told_held
    kind, boot, number = seal.parse_freshness(seal.split(answer).freshness)
    assert (kind, boot) == ("s", scene.front.boot)
    assert number > ahead
    said = board_messages.parse_events_ack(scene.front.open(topics.EVENTS_ACK, answer))
    assert said == (scene.front.epoch, 3, digests[2], False)
    scene.deliver(topics.EVENTS, scene.front.lost(4, behind=True))
    scene.deliver(topics.ONLINE, scene.front.hello())
    assert (online(scene), device.boot) == (True, scene.front.boot)


def test_a_retained_hello_may_be_older_than_the_log(scene: Scene) -> None:
    hello = scene.front.hello()
    scene.deliver(topics.EVENTS, scene.front.event("boot", {}))
    scene.deliver(topics.ONLINE, hello, retained=True)
    scene.prove()
    assert (online(scene), scene.rejected()) == (True, 0)


@pytest.mark.parametrize("retained", [True, False])
def test_what_a_board_once_said_brings_nobody_back_after_a_restart(
    scene: Scene, retained: bool
) -> None:
    """All of it is sealed, and in order; but nobody answers."""
    scene.proving = False
    scene.deliver(topics.ONLINE, scene.front.hello(), retained=retained)
    scene.deliver(topics.REPORTED, report(scene, "unlocked"))
    scene.deliver(topics.HEARTBEAT, scene.front.say(topics.HEARTBEAT, b"{}"))
    other = board_messages.command_result("boot_0000000000000000", "done")
    scene.deliver(topics.COMMANDS_ACK, scene.front.say(topics.COMMANDS_ACK, other))
    view = scene.cases.states.get("front")
    assert (view.online, view.locked, scene.rejected()) == (False, None, 0)
    # The question is asked again with each sign of life. Its answer is believed, and what was said before it.
    asked = [
        json.loads(scene.front.open(topics.CONTROL, one)) for one in scene.answers(topics.CONTROL)
    ]
    assert len({one["command_id"] for one in asked}) == 1
    assert len(asked) == 2
    scene.prove()
    view = scene.cases.states.get("front")
    assert (view.online, view.locked) == (True, False)


def test_what_another_boot_reported_is_not_told_when_this_one_has_proven_itself(
    scene: Scene,
) -> None:
    scene.proving = False
    scene.deliver(topics.ONLINE, scene.front.hello())
    scene.deliver(topics.REPORTED, report(scene, "unlocked"))
    scene.front.boot = bytes(8)
    scene.deliver(topics.ONLINE, scene.front.hello())
    scene.prove()
    assert (online(scene), scene.cases.states.get("front").locked) == (True, None)


def test_a_hello_in_another_version_of_the_protocol_is_refused(scene: Scene) -> None:
    body = board_messages.hello("front", "9.0.0", "0a0b0c0d", 0, 0, 0).replace(b'"v":1', b'"v":2')
    scene.deliver(topics.ONLINE, scene.front.say(topics.ONLINE, body))
    assert (online(scene), scene.rejected()) == (False, 1)


def test_a_retained_state_is_of_this_boot_and_the_newest(scene: Scene) -> None:
    scene.deliver(topics.ONLINE, scene.front.hello())
    unlocked = report(scene, "unlocked")
    newest = report(scene, "locked")
    scene.deliver(topics.REPORTED, newest)
    scene.deliver(topics.REPORTED, newest, retained=True)
    assert scene.rejected() == 0
    scene.deliver(topics.REPORTED, unlocked, retained=True)
    assert scene.cases.states.get("front").locked is True
    assert scene.rejected() == 1


def test_how_long_a_keypad_waits_is_not_taken_from_what_the_broker_kept(scene: Scene) -> None:
    """As after a restart of the gateway: the state is retained, and may be hours old."""
    scene.proving = False
    kept = report(scene, hold_s=14400)
    scene.deliver(topics.ONLINE, scene.front.hello(), retained=True)
    scene.deliver(topics.REPORTED, kept, retained=True)
    scene.prove()
    view = scene.cases.states.get("front")
    assert (view.locked, view.codes_until) == (True, None)
    # The board's own word is as old as it is. The broker's copy of it is no news.
    live = report(scene, hold_s=600)
    scene.deliver(topics.REPORTED, live)
    over = scene.clock.now() + timedelta(seconds=600)
    assert scene.cases.states.get("front").codes_until == over
    scene.clock.advance(60)
    scene.deliver(topics.REPORTED, live, retained=True)
    assert scene.cases.states.get("front").codes_until == over


def test_a_vaults_lockout_ends_at_no_time_that_the_broker_kept(scene: Scene) -> None:
    scene.deliver(topics.ONLINE, scene.front.hello())
    kept = report(scene, state=lockout.STATE, error=lockout.ERROR, hold_s=30)
    scene.deliver(topics.REPORTED, kept, retained=True)
    assert scene.cases.states.get("front").lockout == Lockout("locked")


@pytest.mark.parametrize(("waited_s", "left_s"), [(20, 100), (120, None)])
def test_a_wait_that_was_said_before_the_proof_began_when_it_was_said(
    scene: Scene, waited_s: int, left_s: int | None
) -> None:
    scene.proving = False
    scene.deliver(topics.ONLINE, scene.front.hello())
    scene.deliver(topics.REPORTED, report(scene, hold_s=120))
    scene.clock.advance(waited_s)
    scene.prove()
    over = left_s and scene.clock.now() + timedelta(seconds=left_s)
    assert scene.cases.states.get("front").codes_until == over


@pytest.mark.parametrize("greeted", [True, False])
def test_what_the_broker_kept_of_another_boot_is_no_news_and_nobodys_fault(
    scene: Scene, *, greeted: bool
) -> None:
    """As after every restart: the broker hands out what the boards reported in their former life."""
    if greeted:
        scene.deliver(topics.ONLINE, scene.front.hello())
    boot, scene.front.boot = scene.front.boot, bytes(8)
    kept = report(scene, "unlocked")
    scene.deliver(topics.REPORTED, kept, retained=True)
    assert scene.rejected() == 0
    # Said live, the same is a replay. And a forged one is one in either case.
    scene.deliver(topics.REPORTED, kept)
    scene.deliver(topics.REPORTED, kept[:-1] + b"?", retained=True)
    assert (scene.rejected(), scene.cases.states.get("front").locked) == (2, None)
    scene.front.boot = boot
    scene.deliver(topics.ONLINE, scene.front.hello())
    scene.deliver(topics.REPORTED, report(scene, "locked"))
    assert (scene.rejected(), scene.cases.states.get("front").locked) == (2, True)


def test_what_is_said_to_a_boot_only_rises(scene: Scene) -> None:
    scene.deliver(topics.ONLINE, scene.front.hello())
    device = scene.cases.fleet.find("front")
    assert device is not None
    numbers = [int(str(device.next_word(scene.clock.now())).split(".")[1]) for _ in range(3)]
    assert numbers == sorted(set(numbers))


def test_time_is_told_with_the_next_change_and_bound_to_the_question(scene: Scene) -> None:
    nonce = bytes(range(16))
    scene.deliver(topics.TIME_REQUEST, scene.front.ask_time(nonce))
    [payload] = scene.answers(topics.TIME_RESPONSE)
    told = json.loads(scene.front.open(topics.TIME_RESPONSE, payload))
    # 2026-11-21T10:30Z; Berlin is an hour ahead until 2027-03-28T01:00Z, two hours from then on.
    assert told == {
        "utc": 1795257000,
        "offset_min": 60,
        "next_change": 1806195600,
        "next_offset_min": 120,
    }


@pytest.mark.parametrize("flags", [{"retained": True}, {"repeated": True}])
def test_a_late_question_about_the_time_is_not_answered(
    scene: Scene, flags: dict[str, Any]
) -> None:
    scene.deliver(topics.TIME_REQUEST, scene.front.ask_time(bytes(16)), **flags)
    assert scene.answers(topics.TIME_RESPONSE) == []


def test_a_gateway_whose_clock_went_back_is_heard_all_the_same(scene: Scene) -> None:
    ahead = int(scene.clock.now().timestamp() * 1000) + 3_600_000
    scene.deliver(topics.ONLINE, scene.front.hello(heard=ahead))
    device = scene.cases.fleet.find("front")
    assert device is not None
    word = device.next_word(scene.clock.now())
    assert word is not None
    assert seal.parse_freshness(word)[2] > ahead
