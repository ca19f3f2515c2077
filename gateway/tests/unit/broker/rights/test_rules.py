"""Users' rules: who may do what, by a truth table written by hand, and what a name can and cannot reach."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.broker import Policy, Principal, Role
from doorward.broker.rights.policy import NOT_GRANTED
from doorward.broker.rights.rules import Rule, checked, filled
from doorward.broker.rights.shipped import SHIPPED
from doorward.errors import InvalidInput
from doorward_core import topic_tree

BASE = "dw"

PEOPLE = {
    "Admin": Principal("ada", Role.USER, frozenset({"Admin"})),
    "Teacher": Principal("tess", Role.USER, frozenset({"Teacher"})),
    "Student": Principal("sam", Role.USER, frozenset({"Student"})),
    "User": Principal("uma", Role.USER, frozenset({"User"})),
    "Guest": Principal("gus", Role.USER, frozenset({"Guest"})),
    "nobody": Principal("nina", Role.USER),
}
# Topic -> role -> what it may do: p publish, s subscribe. Written by hand.
TABLE = {
    "school/notices/today": {"Admin": "ps", "Teacher": "ps", "Student": "s", "Guest": "s"},
    "school/notices": {"Admin": "ps", "Teacher": "ps", "Student": "s", "Guest": "s"},
    "school/students/sam/work": {"Admin": "ps", "Teacher": "s", "Student": "ps"},
    "school/students/sue/work": {"Admin": "ps", "Teacher": "s"},
    "school/staff": {"Admin": "ps"},
    "users/tess/x": {"Admin": "ps", "Teacher": "ps"},
    "users/sam/x": {"Admin": "ps", "Student": "ps"},
    "users/uma/x": {"Admin": "ps", "User": "ps"},
    "users/gus/x": {"Admin": "ps"},
    "users/nina/x": {"Admin": "ps"},
    "home/lamp": {"Admin": "ps"},
    "$SYS/broker/uptime": {"Admin": "s"},
    "$CONTROL/x": {},
    "dw/system/alerts": {"Admin": "ps"},
    "dw/devices/front/telemetry/sensors": {"Admin": "ps"},
    "dw/devices/front/access/request": {"Admin": "ps"},
    # What a lock obeys is read by Admins, and said by the gateway alone.
    "dw/devices/front/access/response": {"Admin": "s"},
    "dw/devices/front/time/response": {"Admin": "s"},
    "dw/devices/front/commands/control": {"Admin": "s"},
    "dw/devices/front/commands/anything/else": {"Admin": "s"},
    "dw/devices/front/telemetry/ack": {"Admin": "s"},
    "dw/devices/front/config": {"Admin": "s"},
    "dw/devices/front/status/denied": {"Admin": "s"},
    "dw/discovery/response/front": {"Admin": "s"},
}  # fmt: skip


@pytest.fixture
def policy() -> Policy:
    return Policy(BASE, SHIPPED)


def test_what_the_shipped_roles_may_do_is_the_table(policy):
    found = {}
    for topic in TABLE:
        found[topic] = {}
        for role, person in PEOPLE.items():
            may = "p" if policy.refuses_publish(person, topic) is None else ""
            may += "s" if policy.refuses_subscribe(person, topic) is None else ""
            assert ("s" in may) == policy.may_read(person, topic)
            if may:
                found[topic][role] = may
    assert found == TABLE


def test_roles_add_up_and_a_deny_beats_them_all(policy):
    both = Principal("sam", Role.USER, frozenset({"Student", "Guest", "Teacher"}))
    assert policy.refuses_publish(both, "school/notices/x") is None
    policy.use((*SHIPPED, Rule("role:Student", "deny", True, False, "school/notices/#")))
    said = policy.refuses_publish(both, "school/notices/x")
    assert said == "deny role:Student publish school/notices/#"
    assert policy.refuses_subscribe(both, "school/notices/#") is None, "it is about publishing"


def test_a_subscription_that_a_deny_touches_anywhere_is_refused(policy):
    policy.use((*SHIPPED, Rule("user:tess", "deny", False, True, "school/+/sue/#")))
    tess = PEOPLE["Teacher"]
    for asked in ("school/students/#", "school/students/+/work", "school/students/sue/x"):
        assert policy.refuses_subscribe(tess, asked) == "deny user:tess subscribe school/+/sue/#"
    assert policy.refuses_subscribe(tess, "school/students/sam/#") is None
    assert not policy.may_read(tess, "school/students/sue/x")


def test_a_change_acts_on_what_was_asked_before(policy):
    """Mutant: `use` that keeps what is remembered."""
    tess = PEOPLE["Teacher"]
    assert policy.refuses_publish(tess, "school/x") == NOT_GRANTED
    assert not policy.may_read(tess, "school/x")
    policy.use((Rule("user:tess", "allow", True, True, "school/#"),))
    assert policy.refuses_publish(tess, "school/x") is None
    assert policy.may_read(tess, "school/x")
    policy.use(())
    assert policy.refuses_publish(tess, "school/x") == NOT_GRANTED
    assert not policy.may_read(tess, "school/x")


def test_the_same_name_with_other_roles_is_asked_anew(policy):
    assert policy.refuses_publish(PEOPLE["Teacher"], "school/notices/x") is None
    demoted = Principal("tess", Role.USER, frozenset({"Guest"}))
    assert policy.refuses_publish(demoted, "school/notices/x") == NOT_GRANTED


def test_a_client_id_stands_for_itself_and_for_nothing_wider(policy):
    policy.use((Rule("user:tess", "allow", True, True, "c/%c/#"),))
    tess = PEOPLE["Teacher"]
    assert policy.may_read(tess, "c/pad-1/x", "pad-1")
    assert not policy.may_read(tess, "c/pad-1/x", "pad-2")
    assert policy.may_read(tess, "c/tess/x"), "without one it is the name"
    for hostile in ("+", "#", "a/b", "", "%u", "+/#", "a\u0000", "x" * 65, "é"):
        for asked in ("c/+/#", "c/#", "c/a/b/#", "c//x", f"c/{hostile}/x"):
            assert not policy.may_read(tess, asked.replace("#", "x"), hostile)
            assert policy.refuses_subscribe(tess, asked, hostile) == NOT_GRANTED


def test_a_deny_with_a_name_that_cannot_stand_in_a_topic_counts_for_every_name(policy):
    policy.use(
        (
            Rule("user:tess", "allow", True, True, "c/#"),
            Rule("user:tess", "deny", True, True, "c/%c/private"),
        )
    )
    tess = PEOPLE["Teacher"]
    assert policy.may_read(tess, "c/other/private", "pad")
    assert not policy.may_read(tess, "c/pad/private", "pad")
    assert not policy.may_read(tess, "c/other/private", "a/b")


@given(st.text(max_size=70), st.sampled_from(("%u/x", "a/%u/#", "a-%c-b/+", "%c")))
def test_no_name_adds_a_level_or_a_wildcard(name, text):
    made = filled(Rule("users", "allow", True, True, text), name, name)
    if made is not None:
        assert topic_tree.valid_filter(made.topic_filter)
        assert made.topic_filter.count("/") == text.count("/")
        assert made.topic_filter.count("+") == text.count("+")
        assert made.topic_filter.count("#") == text.count("#")


@pytest.mark.parametrize(
    ("subject", "text", "field"),
    [
        ("Teacher", "a", "subject"),
        ("role:", "a", "subject"),
        ("role:a/b", "a", "subject"),
        ("device", "a", "subject"),
        ("users", "a", "subject"),
        ("user:x", "", "filter"),
        ("user:x", "a/#/b", "filter"),
        ("user:x", "a+", "filter"),
        ("user:x", "a/%d", "filter"),
        ("user:x", "100%", "filter"),
        ("user:x", "a" * 1025, "filter"),
    ],
)
def test_a_rule_that_means_nothing_names_its_field(subject, text, field):
    with pytest.raises(InvalidInput) as caught:
        checked(Rule(subject, "allow", True, True, text))
    assert caught.value.field == field
    assert "\n" not in str(caught.value)


def test_a_rule_about_nothing_is_none():
    with pytest.raises(InvalidInput, match="publish"):
        checked(Rule("user:x", "allow", False, False, "a"))


def test_every_shipped_rule_is_one_that_could_be_granted():
    for rule in SHIPPED:
        assert checked(rule) is rule
