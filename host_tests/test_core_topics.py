# Topics, filters and which seal belongs where. Both interpreters.

from doorward_core import topic_tree, topics


def test_a_device_topic_is_built_and_taken_apart():
    for suffix in topic_tree.UP + topic_tree.DOWN:
        topic = topics.device_topic("iotflow", "ESP32_Door_001", suffix)
        if suffix not in topic_tree.WAITING_UP + topic_tree.WAITING_DOWN:
            assert topic == "iotflow/devices/ESP32_Door_001/" + suffix
        assert topic_tree.parse("iotflow", topic) == ("ESP32_Door_001", suffix)


def test_what_is_no_device_topic_is_none():
    for topic in (
        "",
        "doorward",
        "doorward/devices/",
        "doorward/devices/front",
        "doorward/devices//config",
        "doorward/devices/fr ont/config",
        "doorward/devices/" + "x" * 33 + "/config",
        "doorwards/devices/front/config",
        "other/doorward/devices/front/config",
        "doorward/discovery/register",
        "doorward/discovery/register/",
        "doorward/discovery/register/fr ont",
        "doorward/discovery/register/front/config",
        "doorward/discovery/elsewhere/front",
        "doorward/devices/front/discovery/register",
        "doorward/devices/front/discovery/response",
    ):
        assert topic_tree.parse("doorward", topic) is None


def test_a_board_announces_itself_where_the_contract_says():
    here = topics.device_topic("doorward", "front", topics.REGISTER)
    assert here == "doorward/discovery/register/front"
    answered = topics.device_topic("doorward", "front", topics.REGISTERED)
    assert answered == "doorward/discovery/response/front"
    assert topics.label(topics.REGISTER, "s") == "up.discovery"
    assert topics.label(topics.REGISTERED, "s") == "down.discovery"


def test_ids_are_what_the_contract_says():
    for good in ("a", "ESP32_Door_001", "x" * 32, "-", "_"):
        assert topics.is_id(good)
    for bad in ("", "x" * 33, "a/b", "a b", "a+", "#", "é", "a\0"):
        assert not topics.is_id(bad)


def test_up_and_down_share_no_leaf_and_each_sealed_leaf_has_its_direction():
    assert not set(topic_tree.UP) & set(topic_tree.DOWN)
    for suffix in topic_tree.UP + topic_tree.DOWN:
        for kind in "nsce":
            label = topics.label(suffix, kind)
            if label is not None:
                assert label.startswith("up." if suffix in topic_tree.UP else "down.")
    assert topics.label("status/offline", "s") is None
    assert topics.label("nowhere", "n") is None


def test_one_leaf_and_kind_of_freshness_has_one_label_and_commands_are_never_retained():
    assert topics.label(topics.CONTROL, "n") == "down.release"
    assert topics.label(topics.CONTROL, "s") == "down.control"
    for suffix in (topics.CONTROL, topics.CACHE, topics.ACCESS_RESPONSE, topics.EVENTS_ACK):
        assert not topic_tree.may_be_retained(suffix)


def test_filters_match_as_the_standard_says():
    for pattern, topic, expected in (
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", False),
        ("a/+", "a/b", True),
        ("a/+", "a", False),
        ("a/+", "a/", True),
        ("a/+/c", "a//c", True),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("a/#", "ab", False),
        ("#", "a/b", True),
        ("#", "$SYS/x", False),
        ("+/x", "$SYS/x", False),
        ("$SYS/#", "$SYS/x", True),
        ("/+", "/a", True),
        ("+", "/a", False),
        ("+/+", "/a", True),
    ):
        assert topic_tree.matches(pattern, topic) is expected, (pattern, topic)


def test_what_may_be_published_and_subscribed():
    for good in ("a", "/", "a//b", "a b", "ü"):
        assert topic_tree.valid_topic(good)
        assert topic_tree.valid_filter(good)
    for bad in ("", "a\0", "x" * 65536):
        assert not topic_tree.valid_topic(bad)
        assert not topic_tree.valid_filter(bad)
    for pattern in ("#", "+", "a/#", "+/a/+", "/#"):
        assert topic_tree.valid_filter(pattern)
        assert not topic_tree.valid_topic(pattern)
    for bad in ("a#", "#/a", "a/#/b", "a+", "+a/b"):
        assert not topic_tree.valid_filter(bad)
