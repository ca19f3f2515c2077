# Remote release by challenge, and the door behind it.

import json

from one_door import Site, command
from support import raises

from doorward_core import door, seal, topics
from doorward_core.messages import MessageError


def control(site, number, name, parameters):
    word = seal.session_word(site.session._boot, number)
    body = site.hear(topics.CONTROL, command(site.keys, word, name, parameters))
    return json.loads(body)


def challenge(site, number=1):
    return "n:" + control(site, number, "challenge", {"for": "unlock"})["nonce"]


def test_a_challenged_release_opens_once():
    site = Site()
    payload = command(site.keys, challenge(site), "unlock", {"seconds": 2})
    assert json.loads(site.hear(topics.CONTROL, payload)) == {"command_id": "c1", "result": "done"}
    assert site.strike.moves == [1]
    site.wait(2000)
    assert site.strike.moves == [1, 0]
    assert raises(seal.SealError, site.hear, topics.CONTROL, payload).reason == "late"
    assert site.strike.moves == [1, 0]
    assert site.log[0] == (
        "lock.changed",
        {"locked": False, "cause": "release", "command_id": "c1"},
    )


def test_an_unlock_without_a_challenge_does_nothing():
    site = Site()
    assert control(site, 1, "unlock", {"seconds": 2})["result"] == "unknown"
    payload = command(site.keys, "n:" + "ab" * 16, "unlock", {"seconds": 2})
    assert raises(seal.SealError, site.hear, topics.CONTROL, payload).reason == "late"
    assert site.strike.moves == []


def test_the_nonce_of_a_tap_does_not_release():
    site = Site()
    payload = command(site.keys, site.tap(), "unlock", {"seconds": 2})
    assert raises(seal.SealError, site.hear, topics.CONTROL, payload).reason == "late"
    assert site.strike.moves == []


def test_a_release_that_is_too_late_does_nothing():
    site = Site()
    payload = command(site.keys, challenge(site), "unlock", {"seconds": 2})
    site.wait(5025)
    assert raises(seal.SealError, site.hear, topics.CONTROL, payload).reason == "late"
    assert site.strike.moves == []


def test_a_nonce_is_burnt_even_by_a_command_that_is_not_understood():
    site = Site()
    word = challenge(site)
    raises(
        MessageError, site.hear, topics.CONTROL, command(site.keys, word, "unlock", {"seconds": 0})
    )
    payload = command(site.keys, word, "unlock", {"seconds": 2})
    assert raises(seal.SealError, site.hear, topics.CONTROL, payload).reason == "late"
    assert site.strike.moves == []


def test_statements_of_another_boot_or_an_older_number_are_replays():
    site = Site()
    challenge(site, 7)
    for boot, number in ((site.session._boot, 7), (site.session._boot, 6), (bytes(8), 8)):
        payload = command(site.keys, seal.session_word(boot, number), "lock", {})
        assert raises(seal.SealError, site.hear, topics.CONTROL, payload).reason == "replay"


def test_lock_relocks_early():
    site = Site()
    site.hear(topics.CONTROL, command(site.keys, challenge(site), "unlock", {"seconds": 9}))
    assert control(site, 2, "lock", {})["result"] == "done"
    assert site.strike.moves == [1, 0]


def test_a_release_while_released_is_told_and_never_outlasts_the_cap():
    site = Site()
    for number in range(1, 12):
        site.hear(
            topics.CONTROL, command(site.keys, challenge(site, number), "unlock", {"seconds": 9})
        )
        site.wait(1000)
    # Eleven releases, a second apart: the first pulse ended below the installed cap of 10 s.
    assert site.strike.moves[:2] == [1, 0]
    told = [data["locked"] for kind, data in site.log if kind == "lock.changed"]
    assert told[:11] == [False] * 10 + [True]


def test_the_gateway_cannot_lengthen_the_cap():
    site = Site()
    site.door.apply(door.Settings(strike_ms=60000, cap_ms=60000))
    site.hear(topics.CONTROL, command(site.keys, challenge(site), "unlock", {"seconds": 60}))
    site.wait(9475)
    assert site.strike.moves == [1]
    site.wait(25)
    assert site.strike.moves == [1, 0]


def test_an_open_door_is_not_released_and_says_so():
    site = Site()
    site.contact.move(True)
    site.wait(25)
    payload = command(site.keys, challenge(site), "unlock", {"seconds": 2})
    assert json.loads(site.hear(topics.CONTROL, payload))["result"] == "already"
    assert site.strike.moves == []
    assert site.log[0] == ("door.forced", {})


def test_a_release_at_a_held_door_ends_the_alarm_and_that_is_reported():
    site = Site()
    site.hear(topics.CONTROL, command(site.keys, challenge(site), "unlock", {"seconds": 2}))
    site.contact.move(True)
    site.wait(30050)
    assert site.door.report()[2] == "held"
    site.door.changed = False
    site.hear(topics.CONTROL, command(site.keys, challenge(site, 2), "unlock", {"seconds": 2}))
    assert site.door.report()[2] is None and site.door.changed


def test_a_challenge_for_a_key_opens_no_door_and_the_other_way_round():
    site = Site()
    for_key = control(site, 1, "challenge", {"for": "rekey"})["nonce"]
    payload = command(site.keys, "n:" + for_key, "unlock", {"seconds": 2})
    assert raises(seal.SealError, site.hear, topics.CONTROL, payload).reason == "late"
    for_door = control(site, 2, "challenge", {"for": "unlock"})["nonce"]
    assert not site.commands.rekey.take(bytes.fromhex(for_door), site.now)
    assert site.commands.rekey.take(bytes.fromhex(for_key), site.now)
    assert not site.commands.rekey.take(bytes.fromhex(for_key), site.now)
    assert site.strike.moves == []


def test_a_self_test_is_taken_note_of_and_one_at_a_time():
    site = Site()
    assert control(site, 1, "selftest", {"near": [5]}) == {"command_id": "c1", "result": "started"}
    assert site.commands.testing == ("c1", {"near": [5]})
    assert control(site, 2, "selftest", {})["result"] == "already"
    assert site.commands.testing == ("c1", {"near": [5]})
    assert site.strike.moves == []


def test_what_is_sealed_to_the_nonce_of_a_release_tests_nothing():
    site = Site()
    word = challenge(site)
    payload = command(site.keys, word, "selftest", {})
    assert json.loads(site.hear(topics.CONTROL, payload))["result"] == "refused"
    assert site.commands.testing is None


class Keypad:
    # A code_guard.CodeGuard that waits, as far as commands ask one.
    def __init__(self):
        self.causes = []

    def release(self, now, cause):
        self.causes.append(cause)
        return "done" if len(self.causes) == 1 else "already"


def test_the_wait_of_a_keypad_is_ended_by_a_challenge_alone_and_opens_nothing():
    site = Site()
    site.commands.codes = Keypad()
    assert control(site, 1, "release", {})["result"] == "unknown"
    assert site.commands.codes.causes == []
    payload = command(site.keys, challenge(site, 2), "release", {})
    assert json.loads(site.hear(topics.CONTROL, payload))["result"] == "done"
    assert site.commands.codes.causes == [{"cause": "release", "command_id": "c1"}]
    assert raises(seal.SealError, site.hear, topics.CONTROL, payload).reason == "late"
    payload = command(site.keys, challenge(site, 3), "release", {})
    assert json.loads(site.hear(topics.CONTROL, payload))["result"] == "already"
    assert site.strike.moves == []


def test_a_door_without_a_keypad_ends_no_wait():
    site = Site()
    payload = command(site.keys, challenge(site), "release", {})
    assert json.loads(site.hear(topics.CONTROL, payload))["result"] == "refused"
