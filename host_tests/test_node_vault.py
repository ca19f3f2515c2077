# A vault's taps, commands and lockout, with the bolt's moves as witness.

import json

from one_door import UID, answer, command
from one_vault import VaultSite
from support import raises

from doorward_core import access, lockout, schedule, seal, topics

STRANGER = b"\x08\x01\x02\x03"


def control(site, number, name, parameters):
    word = seal.session_word(site.session._boot, number)
    return json.loads(site.hear(topics.CONTROL, command(site.keys, word, name, parameters)))


def challenged(site, number, name, parameters):
    nonce = control(site, number, "challenge", {"for": "unlock"})["nonce"]
    payload = command(site.keys, "n:" + nonce, name, parameters)
    return payload, json.loads(site.hear(topics.CONTROL, payload))["result"]


def tap(site, granted):
    # Whether the tap reached the gateway, which answers at once.
    word = site.tap(UID if granted else STRANGER)
    if word:
        site.hear(topics.ACCESS_RESPONSE, answer(site.keys, word, granted=granted))
    site.wait(600)
    return word is not None


def locked_out(hold_ms=None):
    site = VaultSite(hold_ms)
    site.wait(100)
    for _ in range(6):
        assert tap(site, False)
    assert site.gate.held
    return site


def kinds(site):
    return [kind for kind, _ in site.log if kind != "access.decision"]


def test_a_right_card_unlocks_and_it_relocks_by_itself():
    site = VaultSite()
    site.wait(100)
    assert site.bolt.moves == ["locked"] and site.door.status() == ("LOCKED", None)
    assert tap(site, True)
    assert site.door.status() == ("UNLOCKED", None) and site.door.report()[0] == "unlocked"
    site.wait(3000)
    assert site.bolt.moves == ["locked", "unlocked", "locked"]
    assert site.door.status() == ("LOCKED", None)
    assert [data["locked"] for kind, data in site.log if kind == "lock.changed"] == [
        True,
        False,
        True,
    ]
    assert site.gate.attempts == 0


def test_five_wrong_ones_do_not_lock_and_the_sixth_does():
    site = VaultSite()
    for _ in range(5):
        tap(site, False)
    assert site.door.status() == ("LOCKED", None) and tap(site, True)
    assert site.unlocks() == 1
    site.wait(5000)
    for _ in range(6):
        tap(site, False)
    assert site.door.status() == (lockout.STATE, lockout.ERROR)
    assert not tap(site, True) and site.unlocks() == 1
    assert "lockout.entered" in kinds(site)


def test_the_wrong_ones_count_without_a_gateway_too_and_after_a_start():
    site = VaultSite()
    for number in range(9):
        site.tap(STRANGER, online=False)
        if number % 2:
            site.start()
    assert site.gate.held
    site.records.known[UID] = access.Credential(1, 1, schedule.ALWAYS)
    site.tap(UID, online=False)
    assert site.unlocks() == 0


def test_only_a_challenged_release_ends_it():
    site = locked_out()
    site.wait(60000)
    assert site.gate.held
    site.start()
    assert control(site, 1, "release", {})["result"] == "unknown"
    assert control(site, 2, "unlock", {"seconds": 2})["result"] == "unknown"
    assert site.gate.held
    payload, result = challenged(site, 3, "release", {})
    assert result == "done" and not site.gate.held and site.unlocks() == 0
    assert site.log[-1] == (
        "lockout.cleared",
        {"cause": "release", "command_id": "c1", "turned_away": 0},
    )
    for _ in range(6):
        tap(site, False)
    assert raises(seal.SealError, site.hear, topics.CONTROL, payload).reason == "late"
    assert site.gate.held and site.unlocks() == 0


def test_a_challenged_unlock_ends_it_and_unlocks_once():
    site = locked_out()
    payload, result = challenged(site, 1, "unlock", {"seconds": 2})
    assert result == "done" and not site.gate.held and site.unlocks() == 1
    site.wait(2500)
    assert site.door.status() == ("LOCKED", None)
    assert raises(seal.SealError, site.hear, topics.CONTROL, payload).reason == "late"
    assert site.unlocks() == 1 and site.gate.attempts == 0


def test_an_unlock_without_seconds_ends_nothing():
    site = locked_out()
    raises(ValueError, challenged, site, 1, "unlock", {})
    assert site.gate.held and site.unlocks() == 0


def test_a_release_of_what_is_not_locked_says_so():
    site = VaultSite()
    assert challenged(site, 1, "release", {})[1] == "already"
    assert challenged(site, 2, "open sesame", {})[1] == "refused"


def test_classic_ends_by_the_clock_alone():
    site = locked_out(lockout.CLASSIC_MS)
    assert challenged(site, 1, "release", {})[1] == "already"
    assert challenged(site, 2, "unlock", {"seconds": 2})[1] == "refused"
    assert site.gate.held and site.unlocks() == 0
    site.wait(29000)
    assert site.door.status() == (lockout.STATE, lockout.ERROR)
    site.wait(1000)
    assert site.door.status() == ("LOCKED", None)
    assert tap(site, True) and site.unlocks() == 1


def test_a_commanded_lockout_relocks_and_whoever_is_being_looked_at_is_too_late():
    site = VaultSite()
    site.wait(100)
    tap(site, True)
    assert site.door.status()[0] == "UNLOCKED"
    word = site.tap(UID)
    assert control(site, 1, "lockout", {})["result"] == "done"
    late = answer(site.keys, word)
    assert raises(seal.SealError, site.hear, topics.ACCESS_RESPONSE, late).reason == "late"
    site.wait(50)
    assert site.bolt.moves == ["locked", "unlocked", "locked"]
    assert site.door.status() == (lockout.STATE, lockout.ERROR)
    assert control(site, 2, "lockout", {})["result"] == "already"


def test_a_locked_vault_unlocks_for_nobody_who_was_admitted_before():
    # The second layer, should a way past the first one ever be found.
    site = locked_out()
    assert site.door.release(site.now, {"cause": "tap"}) == "refused"
    assert site.unlocks() == 0


def test_nothing_that_comes_over_the_network_counts_as_a_try():
    site = VaultSite()
    site.wait(100)
    word = site.tap(UID)
    for payload in (
        answer(seal.Keys("vault", bytes(32)), word, granted=False),
        answer(site.keys, "n:" + "ab" * 16, granted=False),
        command(site.keys, "n:" + "ab" * 16, "unlock", {"seconds": 2}),
    ):
        for suffix in (topics.ACCESS_RESPONSE, topics.CONTROL):
            for _ in range(20):
                raises(seal.SealError, site.hear, suffix, payload)
    for number in range(1, 21):
        control(site, number, "unlock", {"seconds": 2})
    assert site.gate.attempts == 1 and not site.gate.held
    site.hear(topics.ACCESS_RESPONSE, answer(site.keys, word))
    assert site.unlocks() == 1 and site.gate.attempts == 0


def test_a_bolt_that_is_stuck_and_one_that_was_forced_are_told():
    site = VaultSite()
    site.wait(100)
    tap(site, True)
    site.bolt.stuck = True
    site.wait(3000)
    assert site.door.status() == ("UNLOCKED", "PADLOCK JAMMED")
    assert site.door.report() == ("unlocked", None, "held")
    site.bolt.stuck = False
    site.wait(30000)
    assert site.door.status() == ("LOCKED", None)
    site.bolt.force()
    site.wait(25)
    assert site.door.status() == ("UNLOCKED", "PADLOCK FORCED")
    assert site.door.report() == ("locked", None, "forced")
    assert kinds(site)[-1] == "door.forced"


def test_a_locked_out_vault_with_a_stuck_bolt_is_not_worked_to_death():
    site = locked_out()
    site.bolt.stuck = True
    site.bolt.force()
    site.wait(10000)
    assert len(site.bolt.moves) <= 3


def test_keep_alives_that_stop_are_noticed():
    site = VaultSite()
    site.wait(100)
    assert site.commands.control is None
    control(site, 1, "keepalive", {"interval_s": 2})
    assert site.commands.control is True
    site.door.changed = False
    site.wait(4000)
    assert site.commands.control is True and not site.door.changed
    site.wait(50)
    assert site.commands.control is False and site.door.changed
    control(site, 2, "keepalive", {})
    assert site.commands.control is True
    raises(ValueError, control, site, 3, "keepalive", {"interval_s": 0})


def test_the_gateway_may_shorten_the_cap_and_never_lengthen_it():
    from doorward_core import door

    site = VaultSite()
    site.wait(100)
    site.door.apply(door.Settings(strike_ms=60000, cap_ms=60000))
    site.door.release(site.now, {"cause": "release"}, 60)
    site.wait(10100)
    assert site.bolt.moves == ["locked", "unlocked", "locked"]
