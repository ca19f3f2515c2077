"""The subscription tree agrees with a matcher that is too simple to be wrong."""

from hypothesis import given, settings
from hypothesis import strategies as st

from doorward.broker.ports import KeptRetained
from doorward.broker.routing.retained import RetainedMessages
from doorward.broker.routing.subscriptions import SubscriptionTree

levels = st.sampled_from(["a", "b", "", "$s", "ü"])
topics = st.lists(levels, min_size=1, max_size=5).map("/".join).filter(bool)


@st.composite
def filters(draw):
    found = draw(st.lists(st.one_of(levels, st.just("+")), min_size=0, max_size=4))
    if draw(st.booleans()) or not found:
        found.append("#")
    return "/".join(found) or "+"


def naive(topic_filter, topic):
    """Section 4.7, word for word."""
    if topic.startswith("$") and topic_filter[0] in "+#":
        return False

    def walk(wanted, given):
        if wanted == ["#"]:
            return True
        if not wanted or not given:
            # "sport/#" also matches "sport", its parent level.
            return wanted == given
        return wanted[0] in ("+", given[0]) and walk(wanted[1:], given[1:])

    wanted, levels_given = topic_filter.split("/"), topic.split("/")
    if wanted[-1] == "#" and len(wanted) > 1 and walk(wanted[:-1], levels_given):
        return True
    return walk(wanted, levels_given)


@settings(deadline=None)
@given(st.lists(st.tuples(filters(), st.integers(0, 3), st.integers(0, 1))), topics)
def test_tree_finds_what_the_naive_matcher_finds(subscriptions, topic):
    tree = SubscriptionTree()
    asked = {}
    for topic_filter, key, qos in subscriptions:
        tree.add(topic_filter, key, qos)
        asked[topic_filter, key] = qos
    expected = {}
    for (topic_filter, key), qos in asked.items():
        if naive(topic_filter, topic):
            expected[key] = max(qos, expected.get(key, 0))
    assert tree.match(topic) == expected


@settings(deadline=None)
@given(st.lists(st.tuples(filters(), st.integers(0, 3))), topics, st.data())
def test_what_is_removed_no_longer_matches_and_leaves_nothing_behind(subscriptions, topic, data):
    tree = SubscriptionTree()
    for topic_filter, key in subscriptions:
        tree.add(topic_filter, key, 1)
    for topic_filter, key in data.draw(st.permutations(subscriptions)):
        tree.remove(topic_filter, key)
        tree.remove(topic_filter, key)
    assert tree.match(topic) == {}
    assert not tree._root.children


@settings(deadline=None)
@given(st.dictionaries(topics, st.binary(min_size=1)), filters())
def test_retained_messages_are_found_by_the_same_rules(stored, topic_filter):
    retained = RetainedMessages()
    for topic, payload in stored.items():
        retained.put(topic, KeptRetained(payload, 1))
    found = list(retained.match(topic_filter))
    expected = {topic: payload for topic, payload in stored.items() if naive(topic_filter, topic)}
    assert len(found) == len(expected)
    assert {topic: message.payload for topic, message in found} == expected


@settings(deadline=None)
@given(st.dictionaries(topics, st.binary(min_size=1)))
def test_retained_messages_that_are_cleared_leave_nothing_behind(stored):
    retained = RetainedMessages()
    for topic, payload in stored.items():
        retained.put(topic, KeptRetained(payload, 1))
    assert len(retained) == len(stored)
    for topic in stored:
        assert retained.clear(topic)
        assert not retained.clear(topic)
    assert len(retained) == 0
    assert not retained._root.children


def test_as_many_levels_as_a_topic_can_have():
    deep = "/" * 65_534
    tree = SubscriptionTree()
    tree.add(deep + "#", "one", 1)
    assert tree.match(deep + "x") == {"one": 1}
    tree.remove(deep + "#", "one")
    assert not tree._root.children
