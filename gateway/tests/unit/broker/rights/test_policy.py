"""A right is granted exactly where the whole of what is asked lies inside it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorward.broker import Policy, Principal, Role
from doorward.broker.rights.policy import FOREIGN_DEVICE, NOT_GRANTED, OUTSIDE_BASE
from doorward_core import topic_tree, topics

POLICY = Policy("dw")
FRONT = Principal("front")
GATEWAY = Principal("gateway", Role.GATEWAY)
WAITING = Principal("front", Role.WAITING)

REGISTER = "dw/discovery/register/front"
REGISTERED = "dw/discovery/response/front"


def own(leaf):
    kind = leaf.partition("/")[0]
    return f"dw/{leaf}/front" if kind == "discovery" else f"dw/devices/front/{leaf}"


LEAVES = (*topic_tree.UP, *topic_tree.DOWN, "status", "commands/other", "config/deep")
# Every topic that matters here: own and foreign leaves, near misses, other trees.
UNIVERSE = (
    *tuple(
        f"{base}/{kind}/{device}/{leaf}"
        for base in ("dw", "dwx", "$SYS")
        for kind in ("devices", "fleet")
        for device in ("front", "back", "front2")
        for leaf in LEAVES
    ),
    *tuple(
        f"dw/discovery/{leaf}/{device}"
        for leaf in ("register", "response", "other")
        for device in ("front", "back", "front2")
    ),
    "dw",
    "dw/devices",
    "dw/devices/front",
    "x",
    "$SYS/broker",
)


def reads(principal, topic):
    if principal is GATEWAY:
        return topic == "dw" or topic.startswith("dw/")
    if principal is WAITING:
        return topic == REGISTERED
    return topic in {own(leaf) for leaf in topic_tree.DOWN}


@st.composite
def askable(draw):
    """A topic of the universe with some of its levels turned into wildcards."""
    found = draw(st.sampled_from(UNIVERSE)).split("/")
    found = [draw(st.sampled_from((level, level, level, "+"))) for level in found]
    cut = draw(st.integers(0, len(found)))
    return "/".join([*found[:cut], "#"]) if draw(st.booleans()) else "/".join(found)


@settings(deadline=None)
@given(askable(), st.sampled_from((FRONT, WAITING, GATEWAY)))
def test_subscription_is_granted_iff_the_whole_filter_is_inside(asked, principal):
    matched = [topic for topic in UNIVERSE if topic_tree.matches(asked, topic)]
    # "?" levels stand for the topics nobody thought of: what a wildcard could match beyond the universe.
    unknown = asked.replace("+", "?").replace("#", "?/?")
    inside = all(reads(principal, topic) for topic in (*matched, unknown))
    assert (POLICY.refuses_subscribe(principal, asked) is None) == inside


@settings(deadline=None)
@given(st.sampled_from(UNIVERSE), st.sampled_from((FRONT, WAITING, GATEWAY)))
def test_publish_is_granted_iff_the_topic_is_inside(topic, principal):
    mine = {own(leaf) for leaf in topic_tree.UP} if principal is FRONT else {REGISTER}
    inside = reads(GATEWAY, topic) if principal is GATEWAY else topic in mine
    assert (POLICY.refuses_publish(principal, topic) is None) == inside


@settings(deadline=None)
@given(st.sampled_from(UNIVERSE), st.sampled_from((FRONT, WAITING, GATEWAY)))
def test_delivery_is_judged_by_the_same_rights(topic, principal):
    assert POLICY.may_read(principal, topic) == reads(principal, topic)


@pytest.mark.parametrize(
    ("topic", "rule"),
    [
        ("dw/devices/front/commands/control", NOT_GRANTED),
        ("dw/devices/back/access/request", FOREIGN_DEVICE),
        ("dw/system/alerts", FOREIGN_DEVICE),
        ("other/devices/front/access/request", OUTSIDE_BASE),
        ("$SYS/broker/uptime", OUTSIDE_BASE),
    ],
)
def test_a_refusal_names_its_rule(topic, rule):
    assert POLICY.refuses_publish(FRONT, topic) == rule


def test_what_may_be_retained_and_what_waits_for_a_client():
    for leaf in (*topic_tree.UP, *topic_tree.DOWN):
        where = own(leaf)
        assert POLICY.may_retain(where) == (leaf in topic_tree.MAY_BE_RETAINED)
        assert POLICY.keeps(where) == (
            not leaf.startswith(("access/", "time/", "status/denied", "discovery/", topics.REKEY))
        )
    assert not POLICY.may_retain("dw/devices/front/commands/control")


def test_a_device_that_waits_for_approval_has_two_topics_and_nothing_else():
    assert POLICY.rights(WAITING) == ((REGISTER,), (REGISTERED,), (), ())
    for leaf in set(topic_tree.UP) - {"discovery/register"}:
        assert POLICY.refuses_publish(WAITING, own(leaf)) == NOT_GRANTED
    for asked in ("dw/#", "dw/discovery/#", "dw/discovery/response/+", "dw/devices/front/#"):
        assert POLICY.refuses_subscribe(WAITING, asked)


def test_the_places_of_a_device_are_its_topics_and_nobody_elses():
    for topic in UNIVERSE:
        mine = any(topic_tree.matches(place, topic) for place in POLICY.places_of("front"))
        parts = topic.split("/")
        kind, leaf = parts[:2], parts[2:]
        whole = kind == ["dw", "devices"] and leaf[:1] == ["front"]
        discovery = topic in (REGISTER, REGISTERED)
        assert mine == (whole or discovery), topic


@pytest.mark.parametrize("base", ["", "a/#", "+", "$SYS", "a\0"])
def test_a_base_that_is_no_topic_is_refused(base):
    with pytest.raises(ValueError, match="base"):
        Policy(base)
