# The back-off in the way of a tap: what reaches the gateway, the log and the relay.

from one_door import Site, answer

from doorward_core import access, schedule, topics

MEMBER = b"\x04\xa1\xb2\xc3"


def junk(number):
    return b"\x08" + number.to_bytes(3, "big")


def shown(site, uid):
    # A tap at a door whose gateway answers at once: True if it reached the gateway.
    word = site.tap(uid)
    if word:
        site.hear(topics.ACCESS_RESPONSE, answer(site.keys, word, granted=uid == MEMBER))
    site.wait(600)
    return word is not None


def logged(site):
    return [(kind, data) for kind, data in site.log if kind.startswith("lockout.")]


def test_a_thousand_junk_taps_reach_nobody_and_cost_a_member_one_tap():
    site = Site()
    reached = [number for number in range(1000) if shown(site, junk(number))]
    assert reached == [0, 1, 2, 3, 4]
    assert len(site.decisions()) == 5
    assert logged(site) == [("lockout.entered", {"reader": 0, "turned_away": 0})]
    assert not shown(site, MEMBER)
    assert site.strike.moves == []
    assert shown(site, MEMBER)
    assert site.strike.moves[0] == 1
    assert logged(site)[1:] == [("lockout.cleared", {"reader": 0, "turned_away": 996})]


def test_it_counts_without_a_gateway_too():
    site = Site()
    site.records.known[MEMBER] = access.Credential(1, 1, schedule.ALWAYS)
    for number in range(20):
        site.tap(junk(number), online=False)
        site.wait(600, online=False)
    assert len(site.decisions()) == 5
    site.tap(MEMBER, online=False)
    assert site.strike.moves == []
    site.wait(600, online=False)
    site.tap(MEMBER, online=False)
    assert site.strike.moves == [1]


def test_cards_that_follow_too_quickly_to_be_answered_count():
    site = Site()
    words = [site.tap(junk(number)) for number in range(20)]
    assert [word is not None for word in words] == [True] * 5 + [False] * 15


def test_a_minute_without_anybody_ends_it():
    site = Site()
    for number in range(6):
        shown(site, junk(number))
    site.wait(60000)
    assert [kind for kind, _ in logged(site)] == ["lockout.entered", "lockout.cleared"]
    assert shown(site, MEMBER)


def test_a_release_from_afar_is_not_kept_back():
    site = Site()
    for number in range(100):
        site.tap(junk(number))
    assert site.door.release(site.now, {"cause": "release", "command_id": "c1"}) == "done"
    assert site.strike.moves == [1]
