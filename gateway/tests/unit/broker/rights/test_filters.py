"""What one filter says of another is what counting topics says, over every topic of a small alphabet."""

from functools import cache
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorward.broker.rights.filters import covers, overlaps
from doorward.broker.rights.rules import Rule, judge
from doorward_core import topic_tree

# "?" stands for every level that no filter here names; "" and "$x" are the odd ones.
LEVELS = ("a", "b", "", "$x", "?")
# One level deeper than any filter: "#" then reaches what nobody named. The empty topic, that nobody sends, counts too.
TOPICS = tuple(
    "/".join(levels) for depth in range(1, 5) for levels in product(LEVELS, repeat=depth)
)


@st.composite
def filters(draw):
    levels = draw(st.lists(st.sampled_from(("a", "b", "", "$x", "+", "+")), min_size=1, max_size=3))
    text = "/".join([*levels, "#"] if draw(st.booleans()) else levels)
    return text or draw(st.sampled_from(("#", "+/#")))


@cache
def matched(text):
    return frozenset(topic for topic in TOPICS if topic_tree.matches(text, topic))


@settings(deadline=None, max_examples=400)
@given(filters(), filters())
def test_covers_is_inclusion_of_the_topics(granted, asked):
    assert covers(granted, asked) == (matched(asked) <= matched(granted))


@settings(deadline=None, max_examples=400)
@given(filters(), filters())
def test_overlaps_is_a_topic_in_common(one, other):
    assert overlaps(one, other) == bool(matched(one) & matched(other))
    assert overlaps(one, other) == overlaps(other, one)


@given(filters(), st.sampled_from(TOPICS))
def test_of_a_plain_topic_both_are_the_match(text, topic):
    assert covers(text, topic) == overlaps(text, topic) == topic_tree.matches(text, topic)


rules = st.builds(
    lambda effect, text: Rule("role:R", effect, True, True, text),
    st.sampled_from(("allow", "allow", "deny")),
    filters(),
)


@settings(deadline=None, max_examples=300)
@given(st.lists(rules, min_size=1, max_size=4), filters())
def test_a_granted_subscription_brings_nothing_that_is_not_allowed(given_rules, asked):
    """Soundness, and what is refused though every topic is allowed needs two allows that share the work."""

    def may_read(topic):
        return judge(given_rules, "subscribe", topic).allowed

    granted = judge(given_rules, "subscribe", asked).allowed
    everything = all(map(may_read, matched(asked)))
    if granted:
        assert everything
    elif everything:
        assert sum(rule.effect == "allow" for rule in given_rules) > 1
    for topic in matched(asked):
        forbidden = any(
            rule.effect == "deny" and topic_tree.matches(rule.topic_filter, topic)
            for rule in given_rules
        )
        assert not (forbidden and may_read(topic))


@pytest.mark.parametrize(
    ("granted", "asked", "inside"),
    [
        ("a/#", "a", True),
        ("a/#", "a/+/b", True),
        ("a/+", "a/+", True),
        ("a/+", "a/#", False),
        ("a/b", "a/+", False),
        ("+/b", "a/b", True),
        ("#", "$SYS/x", False),
        ("+/x", "$SYS/x", False),
        ("+/#", "#", True),
        ("a/+/#", "a/#", False),
        ("a", "a/b", False),
        ("a/b", "a", False),
    ],
)
def test_covers(granted, asked, inside):
    assert covers(granted, asked) is inside


def test_a_filter_of_very_many_levels_is_no_trouble():
    deep = "/".join("a" * 30_000)
    assert covers("a/#", deep)
    assert overlaps(deep, "a/#")
    assert not overlaps(deep, deep + "/b")
