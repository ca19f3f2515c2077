"""Topics and filters as people write them: what is wrong, and what was probably meant."""

import re
from pathlib import Path

import pytest

from doorward.app.mqtt import topic_leaves
from doorward.app.mqtt.topic_check import check, problem
from doorward_core import topic_tree

BASE = "doorward"
CONTRACT_LEAVES = [
    "access/request",
    "access/response",
    "telemetry/sensors",
    "telemetry/metrics",
    "telemetry/events",
    "telemetry/ack",
    "commands/control",
    "commands/config",
    "commands/firmware",
    "commands/ack",
    "config",
    "status/heartbeat",
    "status/online",
    "status/offline",
    "status/reported",
    "status/denied",
]
CONTRACT_SITE = [
    "fleet/commands/{group}",
    "fleet/status/{group}",
    "system/health",
    "system/metrics",
    "system/alerts",
    "discovery/register/{id}",
    "discovery/response/{id}",
    "monitoring/broker",
    "monitoring/clients",
    "monitoring/traffic",
]


@pytest.mark.parametrize(
    ("text", "use", "code"),
    [
        ("", None, "empty"),
        ("a\0b", None, "null"),
        ("a" * 65536, None, "too-long"),
        ("\ud800", None, "not-utf8"),
        ("a/#", "publish", "wildcard-in-topic"),
        ("+/a", "publish", "wildcard-in-topic"),
        ("a#", None, "hash-not-alone"),
        ("a/#/b", None, "hash-not-last"),
        ("a+/b", None, "plus-not-alone"),
        ("$share/group/a", "subscribe", "shared-subscription"),
        ("$SYS/broker/uptime", "publish", "reserved"),
        ("doorward", "publish", "incomplete"),
        ("doorward/devices", None, "incomplete"),
        ("doorward/devices/front/telemetry/sensor", None, "no-such-leaf"),
        ("doorward/status", None, "no-such-leaf"),
        ("doorward/devices/front door/config", None, "bad-device-id"),
        (f"doorward/discovery/register/{'x' * 33}", None, "bad-device-id"),
    ],
)
def test_a_bad_topic_is_refused_with_its_reason(text: str, use: str | None, code: str) -> None:
    verdict = check(BASE, text, use)  # type: ignore[arg-type]  # one of the two words
    assert not verdict.valid
    assert code in [found.code for found in verdict.findings]
    assert all(found.reason for found in verdict.findings)
    verdict.topic.encode()  # it can be told


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("school/bell", "topic"),
        ("Küche/Licht 1", "topic"),
        ("/", "topic"),
        ("$SYS/#", "filter"),
        ("#", "filter"),
        ("+", "filter"),
        ("doorward/#", "filter"),
        ("doorward/devices/+/status/#", "filter"),
        ("doorward/devices/front/#", "filter"),
        ("doorward/devices/front/config", "topic"),
        ("doorward/discovery/register/front", "topic"),
        ("doorward/system/alerts", "topic"),
        ("doorward/fleet/commands/ground-floor", "topic"),
        ("a" * 65535, "topic"),
    ],
)
def test_what_can_be_used_can_be_used(text: str, kind: str) -> None:
    verdict = check(BASE, text)
    assert (verdict.valid, verdict.kind) == (True, kind)
    assert not [found for found in verdict.findings if found.level == "error"]


@pytest.mark.parametrize(
    ("text", "code", "suggestion"),
    [
        ("/school/bell", "leading-slash", "school/bell"),
        ("school//bell", "empty-level", "school/bell"),
        ("school/bell/", "trailing-slash", "school/bell"),
        ("school / bell", "blank", "school/bell"),
        ("school/be\u200bll", "invisible", None),
        ("Doorward/system/health", "case", "doorward/system/health"),
        ("vault/status", "legacy", "doorward/devices/{id}/status/reported"),
        ("door/access/request", "legacy", "doorward/devices/{id}/access/request"),
        ("iot/lights/motion", "legacy", "doorward/devices/{id}/telemetry/sensors"),
    ],
)
def test_what_is_hardly_ever_meant_is_said(text: str, code: str, suggestion: str | None) -> None:
    verdict = check(BASE, text)
    assert verdict.valid
    assert code in [found.code for found in verdict.findings]
    assert verdict.suggestion == suggestion


def test_a_typing_mistake_in_a_leaf_is_corrected() -> None:
    verdict = check(BASE, "doorward/devices/front/telemetry/sensor")
    assert verdict.suggestion == "doorward/devices/front/telemetry/sensors"


def test_a_topic_of_the_tree_names_its_leaf() -> None:
    leaf = check(BASE, "doorward/devices/front/commands/control").leaf
    assert leaf is not None
    assert (leaf.direction, leaf.qos, leaf.publisher) == ("down", 2, "the gateway")
    assert check(BASE, "school/bell").leaf is None


def test_problems_are_those_of_the_standard_alone() -> None:
    assert problem("doorward/nothing", is_filter=False) is None
    assert problem("a/#", is_filter=False) is not None
    assert problem("a/#", is_filter=True) is None


def test_every_leaf_of_the_contract_is_told() -> None:
    told = {leaf.topic: leaf for leaf in topic_leaves.leaves(BASE)}
    wanted = {f"{BASE}/devices/{{id}}/{leaf}" for leaf in CONTRACT_LEAVES}
    wanted |= {f"{BASE}/{leaf}" for leaf in CONTRACT_SITE}
    assert wanted <= set(told)
    retained = {topic for topic, leaf in told.items() if leaf.retained}
    assert retained == {f"{BASE}/devices/{{id}}/{leaf}" for leaf in topic_tree.MAY_BE_RETAINED}
    assert {leaf.direction for leaf in told.values()} == {"up", "down", "site"}
    of_devices = {t for t, leaf in told.items() if leaf.direction != "site"}
    assert len(of_devices) == len(topic_tree.UP) + len(topic_tree.DOWN)


def test_the_topics_of_one_board_have_its_name() -> None:
    topics = [leaf.topic for leaf in topic_leaves.of_device("base", "front")]
    assert "base/devices/front/config" in topics
    assert "base/discovery/register/front" in topics
    assert not [topic for topic in topics if "{" in topic]


def test_old_names_are_those_of_the_documentation() -> None:
    page = (Path(__file__).resolve().parents[5] / "docs" / "mqtt-clients.md").read_text()
    from doorward.app.mqtt.topic_check import _LEGACY

    assert not [topic for topic in _LEGACY if not re.search(rf"`{re.escape(topic)}`", page)]
