# Who may pass: every rule alone, their order, and what the trace says. Both interpreters.

from doorward_core import access, access_rules
from doorward_core.access import Credential, decide
from doorward_core.access_values import Door, Request, State
from doorward_core.schedule import ALWAYS

EVENINGS = ((0x1F, 17 * 60, 22 * 60),)
MONDAY = 9814 - 5  # 2026-11-09 in days since 2000-01-01
ONLINE = State(site=True)


def answer(credential, door=None, minute=600, day=MONDAY, state=ONLINE, request=None):
    found = decide(credential, door or Door(), request or Request(), minute, day, state)
    return found.verdict, found.rule


def test_an_unknown_credential_is_denied():
    assert answer(None) == (access.DENY, access_rules.RULE_KNOWN)


def test_a_member_with_an_access_level_here_passes_at_any_time():
    member = Credential(1, 1, ALWAYS)
    for minute in (0, 600, 1439):
        assert answer(member, minute=minute) == (access.GRANT, access_rules.RULE_SCHEDULE)


def test_each_rule_denies_alone():
    for credential, rule in (
        (Credential(1, 1, ALWAYS, revoked=True), access_rules.RULE_NOT_REVOKED),
        (Credential(1, 1, ALWAYS, active=False), access_rules.RULE_PERSON_ACTIVE),
        (Credential(1, 1, ()), access_rules.RULE_HAS_LEVEL),
        (Credential(1, 1, ALWAYS, valid_from=MONDAY + 1), access_rules.RULE_VALID_DATES),
        (Credential(1, 1, ALWAYS, valid_until=MONDAY - 1), access_rules.RULE_VALID_DATES),
        (Credential(1, 1, EVENINGS), access_rules.RULE_SCHEDULE),
    ):
        assert answer(credential) == (access.DENY, rule)


def test_both_ends_of_the_dates_count():
    for day, verdict in ((9, 0), (10, 1), (20, 1), (21, 0)):
        assert answer(Credential(1, 1, ALWAYS, 10, 20), day=day)[0] == verdict


def test_a_schedule_holds_from_its_first_minute_to_before_its_last():
    evening = Credential(1, 1, EVENINGS)
    for minute, verdict in ((1019, 0), (1020, 1), (1319, 1), (1320, 0)):
        assert answer(evening, minute=minute)[0] == verdict
    assert answer(evening, minute=1100, day=MONDAY + 5)[0] == access.DENY


def test_a_door_may_ask_for_more_than_a_uid():
    door = Door(min_strength=access.STRENGTH_CRYPTO)
    strong = Credential(1, 1, ALWAYS, strength=access.STRENGTH_CRYPTO)
    proven = Request(strength=access.STRENGTH_CRYPTO)
    assert answer(strong, door, request=proven)[0] == access.GRANT
    assert answer(strong, door) == (access.DENY, access_rules.RULE_STRENGTH)
    assert answer(Credential(1, 1, ALWAYS), door, request=proven)[1] == access_rules.RULE_STRENGTH


def test_lockdown_admits_nobody():
    member = Credential(1, 1, ALWAYS)
    assert answer(member, Door(lockdown=True)) == (access.DENY, access_rules.RULE_LOCKDOWN)


def test_without_a_clock_only_the_unconditional_pass():
    member = Credential(1, 1, ALWAYS)
    assert answer(member, minute=None, day=None)[0] == access.GRANT
    for credential in (Credential(1, 1, EVENINGS), Credential(1, 1, ALWAYS, valid_until=99999)):
        assert answer(credential, minute=None, day=None) == (access.DENY, access_rules.RULE_CLOCK)


def test_a_stale_cache_stops_who_has_dates_or_a_schedule():
    stale = State(stale=True)
    assert answer(Credential(1, 1, ALWAYS), state=stale)[0] == access.GRANT
    for credential in (Credential(1, 1, EVENINGS), Credential(1, 1, ALWAYS, valid_until=99999)):
        assert answer(credential, minute=1100, state=stale) == (
            access.DENY,
            access_rules.RULE_CACHE_FRESH,
        )


def test_a_rule_that_needs_the_site_is_the_gateways():
    member, door = Credential(1, 1, ALWAYS), Door(site_rules=True)
    for site, verdict in (
        (None, access.NEEDS_GATEWAY),
        (True, access.GRANT),
        (False, access.DENY),
    ):
        assert answer(member, door, state=State(site=site)) == (verdict, access_rules.RULE_SITE)
    assert answer(Credential(1, 1, EVENINGS), door)[1] == access_rules.RULE_SCHEDULE


def test_the_trace_ends_with_the_rule_that_decided():
    for credential in (None, Credential(1, 1, ()), Credential(1, 1, ALWAYS)):
        found = decide(credential, Door(), Request(), 600, MONDAY, ONLINE)
        assert found.trace[-1] == found.rule
        assert found.trace[0] == access_rules.RULE_KNOWN
        assert len(set(found.trace)) == len(found.trace)


def test_the_trace_is_the_beginning_of_the_order():
    granted = decide(Credential(1, 1, ALWAYS), Door(), Request(), 600, MONDAY, ONLINE)
    assert granted.trace == access_rules.ORDER[: access_rules.ORDER.index(granted.rule) + 1]


def test_rule_numbers_are_frozen():
    # They stand in audits and travel on the wire.
    assert tuple(range(1, 13)) == (
        access_rules.RULE_KNOWN,
        access_rules.RULE_NOT_REVOKED,
        access_rules.RULE_PERSON_ACTIVE,
        access_rules.RULE_STRENGTH,
        access_rules.RULE_LOCKDOWN,
        access_rules.RULE_HAS_LEVEL,
        access_rules.RULE_CLOCK,
        access_rules.RULE_VALID_DATES,
        access_rules.RULE_CACHE_FRESH,
        access_rules.RULE_SCHEDULE,
        access_rules.RULE_SITE,
        access_rules.RULE_NO_ANSWER,
    )
    assert (access.DENY, access.GRANT, access.NEEDS_GATEWAY) == (0, 1, 2)
