# A tap, its answer, its deadlines, and everything that must not move the relay.

from one_door import KEY, START, UID, Site, answer, time_is
from support import raises

from doorward_core import access, access_rules, schedule, seal, topics
from doorward_core.compat import ticks_add


def credential(windows=schedule.ALWAYS):
    return access.Credential(1, 1, windows)


def known(site, uid=UID, windows=schedule.ALWAYS):
    site.records.known[uid] = credential(windows)


def test_a_grant_moves_the_relay_for_as_long_as_the_gateway_said():
    site = Site()
    word = site.tap()
    site.hear(topics.ACCESS_RESPONSE, answer(site.keys, word, seconds=3))
    assert site.strike.moves == [1]
    site.wait(2975)
    assert site.strike.moves == [1]
    site.wait(25)
    assert site.strike.moves == [1, 0]
    decision = site.decisions()[0]
    assert decision["granted"] and decision["source"] == "gateway"
    assert decision["request"] == word[2:18] and decision["tail"] == "e5f6"


def test_a_refusal_moves_nothing_and_is_logged():
    site = Site()
    site.hear(topics.ACCESS_RESPONSE, answer(site.keys, site.tap(), granted=False))
    site.wait(3000)
    assert site.strike.moves == []
    assert [data["granted"] for data in site.decisions()] == [False]


def test_the_uid_never_travels_or_is_logged_readable():
    site = Site()
    request = site.taps.begin(UID, site.now, True)
    assert b"a1b2c3" not in request and UID[1:] not in request
    site.wait(3000)
    assert "a1b2" not in repr(site.log)


def test_a_replayed_answer_moves_nothing():
    site = Site()
    payload = answer(site.keys, site.tap())
    site.hear(topics.ACCESS_RESPONSE, payload)
    site.wait(5000)
    assert site.strike.moves == [1, 0]
    assert raises(seal.SealError, site.hear, topics.ACCESS_RESPONSE, payload).reason == "late"
    site.tap()
    assert raises(seal.SealError, site.hear, topics.ACCESS_RESPONSE, payload).reason == "late"
    assert site.strike.moves == [1, 0]


def test_an_answer_of_another_door_moves_nothing():
    site = Site()
    word = site.tap()
    for keys in (seal.Keys("back", KEY), seal.Keys("front", bytes(32))):
        error = raises(seal.SealError, site.hear, topics.ACCESS_RESPONSE, answer(keys, word))
        assert error.reason == "mac"
    assert site.strike.moves == []
    # A bad seal burns nothing: the right answer still counts.
    site.hear(topics.ACCESS_RESPONSE, answer(site.keys, word))
    assert site.strike.moves == [1]


def test_every_tampered_byte_is_noticed():
    site = Site()
    payload = answer(site.keys, site.tap())
    for index in range(len(payload)):
        changed = bytearray(payload)
        changed[index] ^= 1
        raises(ValueError, site.hear, topics.ACCESS_RESPONSE, bytes(changed))
    assert site.strike.moves == []
    site.hear(topics.ACCESS_RESPONSE, payload)
    assert site.strike.moves == [1]


def test_an_answer_to_a_tap_does_not_fit_a_release():
    site = Site()
    word = site.tap()
    body = answer(site.keys, word, suffix=topics.ACCESS_RESPONSE)
    raises(seal.SealError, site.hear, topics.CONTROL, body)
    assert site.strike.moves == []


def test_without_an_answer_the_board_decides_after_300_ms():
    site = Site()
    known(site)
    site.tap()
    site.wait(275)
    assert site.strike.moves == []
    site.wait(25)
    assert site.strike.moves == [1]
    assert site.decisions()[0]["source"] == "board"


def test_an_answer_after_the_boards_own_decision_moves_nothing():
    site = Site()
    known(site, windows=())
    word = site.tap()
    site.wait(300)
    assert site.decisions()[0]["granted"] is False
    error = raises(seal.SealError, site.hear, topics.ACCESS_RESPONSE, answer(site.keys, word))
    assert error.reason == "late" and site.strike.moves == []


def test_with_the_link_down_the_board_decides_at_once():
    site = Site()
    known(site)
    assert site.tap(online=False) is None
    assert site.strike.moves == [1]
    site.wait(6000, online=False)
    assert site.tap(b"\x01\x02\x03\x04", online=False) is None
    assert site.strike.moves == [1, 0]
    assert site.decisions()[1]["rule"] == access_rules.RULE_NO_ANSWER


def test_a_link_that_breaks_during_a_tap_ends_the_wait():
    site = Site()
    known(site)
    site.tap()
    site.wait(25, online=False)
    assert site.strike.moves == [1]


def test_a_card_without_a_record_is_denied_after_2_s_and_may_be_answered_until_then():
    site = Site()
    site.tap()
    site.wait(1975)
    assert site.decisions() == []
    site.wait(25)
    assert site.decisions()[0]["rule"] == access_rules.RULE_NO_ANSWER
    word = site.tap()
    site.wait(1900)
    site.hear(topics.ACCESS_RESPONSE, answer(site.keys, word))
    assert site.strike.moves == [1]


def test_a_schedule_needs_the_clock():
    site = Site()
    evenings = ((0x7F, 17 * 60, 22 * 60),)
    known(site, windows=evenings)
    site.tap(online=False)
    assert site.decisions()[0]["rule"] == access_rules.RULE_CLOCK
    time_is(site, 1795282200)  # 2026-11-21 17:30 UTC, 18:30 at the door
    site.tap(online=False)
    assert site.decisions()[1]["granted"] is True


def test_a_stale_copy_admits_who_may_always_pass_alone():
    site = Site()
    time_is(site, 1795282200)
    site.records.is_stale = True
    known(site, windows=((0x7F, 0, 1439),))
    site.tap(online=False)
    known(site)
    site.tap(online=False)
    rules = [(data["granted"], data["rule"]) for data in site.decisions()]
    assert rules == [(False, access_rules.RULE_CACHE_FRESH), (True, access_rules.RULE_SCHEDULE)]


def test_dates_count_by_the_day_at_the_door():
    site = Site()
    time_is(site, 1795302000)  # 2026-11-21 23:00 UTC, the 22nd at the door
    day = site.clock.local(site.now)[0]
    for first, last, granted in ((day, None, True), (None, day, True), (None, day - 1, False)):
        site.records.known[UID] = access.Credential(1, 1, schedule.ALWAYS, first, last)
        site.tap(online=False)
        assert site.decisions()[-1]["granted"] is granted
    assert site.clock.local(site.now)[1] < 60


def test_a_schedule_is_off_on_a_holiday():
    site = Site()
    known(site, windows=((0x7F, 0, 1439),))
    time_is(site, 1795257000)
    day = site.clock.local(site.now)[0]
    for closed, moves in ((((day, day),), 0), (((day - 9, day - 2), (day + 1, day + 1)), 1)):
        site.records.closed = closed
        site.tap(online=False)
        assert len(site.strike.moves) == moves
    assert [data["rule"] for data in site.decisions()] == [access_rules.RULE_SCHEDULE] * 2


def test_uids_that_share_a_prefix_are_different_cards():
    site = Site()
    known(site, UID)
    for other in (UID[:4], UID + b"\0\0\0", UID[:6] + b"\xf7"):
        site.tap(other, online=False)
    assert site.strike.moves == []


def test_a_second_card_ends_the_first_ones_call():
    site = Site()
    first = site.tap()
    second = site.tap(b"\x01\x02\x03\x04")
    error = raises(seal.SealError, site.hear, topics.ACCESS_RESPONSE, answer(site.keys, first))
    assert error.reason == "late"
    site.hear(topics.ACCESS_RESPONSE, answer(site.keys, second))
    assert [data["granted"] for data in site.decisions()] == [False, True]


def test_a_nonce_lives_five_seconds():
    site = Site()
    word = site.tap()
    site.now = ticks_add(START, 5001)
    error = raises(seal.SealError, site.hear, topics.ACCESS_RESPONSE, answer(site.keys, word))
    assert error.reason == "late" and site.strike.moves == []


def test_a_locked_down_door_stays_shut_without_the_gateway():
    site = Site()
    known(site)
    site.records.config.lockdown = True
    site.tap()
    site.wait(325)
    assert site.strike.moves == []
    assert site.decisions()[0]["rule"] == access_rules.RULE_LOCKDOWN


def test_a_door_for_strong_cards_takes_no_weak_one_without_the_gateway():
    site = Site()
    known(site)
    site.records.config.min_strength = access.STRENGTH_CRYPTO
    site.tap(online=False)
    assert site.strike.moves == [] and not site.decisions()[0]["granted"]
