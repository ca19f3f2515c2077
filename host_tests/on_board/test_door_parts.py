# Strike, contact, REX and tamper on the lab's pins: the pins' levels are the witness.

from lab_by_hand import power_up

import machine
from doorward_drivers import contact, debounce, strike


def test_a_strike_is_locked_from_its_first_edge_on():
    for active, fail, locked in (
        (1, "secure", 0),
        (0, "secure", 1),
        (1, "safe", 1),
        (0, "safe", 0),
    ):
        lab = power_up()
        part = strike.make({"pin": 25, "active": active, "fail": fail})
        assert lab.edges(25) == [locked], (active, fail)
        part.energise()
        part.de_energise()
        assert lab.edges(25) == [locked, 1 - locked, locked], (active, fail)


def test_a_strike_without_fail_is_fail_secure():
    lab = power_up()
    strike.make({"pin": 25, "active": 1})
    assert lab.edges(25) == [0]


def test_a_strike_holds_its_cap_whoever_energised_it():
    lab = power_up()
    part = strike.make({"pin": 25, "active": 1}, 3000)
    assert part.cap_ms == 3000
    part.energise()
    assert not part.enforce(1000)
    assert part.enforce(0)
    assert lab.edges(25) == [0, 1, 0]
    assert not part.enforce(0)


def test_boot_locks_what_the_strike_locks():
    # boot.py imports nothing of ours; it must come to the same level.
    folder = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
    with open(folder + "/../../firmware/boot.py") as file:
        source = file.read().replace("/config.json", "/tmp/doorward-boot-test.json")
    for settings in (
        '{"pin": 25, "active": 1}',
        '{"pin": 25, "active": 0, "fail": "secure"}',
        '{"pin": 25, "active": 1, "fail": "safe"}',
        '{"pin": 25, "active": 0, "fail": "safe"}',
    ):
        with open("/tmp/doorward-boot-test.json", "w") as file:
            file.write('{"pins": {"strike": ' + settings + "}}")
        lab = power_up()
        exec(source, {})
        booted = lab.edges(25)
        lab = power_up()
        strike.make(eval(settings))
        assert len(booted) == 1 and booted == lab.edges(25), settings


def test_a_contact_that_bounces_changes_once():
    power_up()
    machine.levels[32] = 0
    part = contact.make({"pin": 32, "closed": 0})
    assert not part.on
    changes = []
    for level in (1, 0, 1, 1, 0, 1, 1, 1, 1, 0, 1, 1, 1):
        machine.levels[32] = level
        if part.sample():
            changes.append(part.on)
    assert changes == [True]
    machine.levels[32] = 0
    assert [part.sample() for _ in range(4)] == [False, False, True, False]
    assert not part.on


def test_a_cut_wire_to_the_contact_is_an_open_door():
    power_up()
    part = contact.make({"pin": 32, "closed": 0})
    assert part.on


def test_a_button_is_on_while_it_is_held_down():
    power_up()
    part = debounce.make({"pin": 33, "active": 0})
    assert not part.on
    machine.levels[33] = 0
    assert [part.sample() for _ in range(3)] == [False, False, True]
    assert part.on


def test_a_pin_without_a_pull_of_its_own_gets_none():
    power_up()
    for pull, mode in (("up", 2), ("down", 1), ("none", 0)):
        debounce.make({"pin": 34, "active": 1, "pull": pull})
        assert (machine.pins[34]._pull or 0) == mode, pull
