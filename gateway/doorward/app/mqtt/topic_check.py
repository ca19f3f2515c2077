"""Is a text a topic, or a topic filter; and is it the one that was meant? Pure."""

import difflib
import unicodedata
from collections.abc import Iterator

from doorward.app.mqtt.topic_leaves import leaves
from doorward.app.views.mqtt import Finding, Leaf, TopicVerdict, Use
from doorward_core import topic_tree, topics

_LONGEST = 65535  # bytes of UTF-8 (MQTT 3.1.1, 1.5.3)
_SHOWN = 60

# The trees of other programs, by what they are called here. {} stands for the board that keeps that door or vault.
_LEGACY = {
    "vault/status": "devices/{}/status/reported",
    "vault/metrics": "devices/{}/telemetry/metrics",
    "vault/control": "devices/{}/commands/control",
    "vault/lockout": "devices/{}/commands/control",
    "door/access/request": "devices/{}/access/request",
    "door/access/response": "devices/{}/access/response",
    "door/state": "devices/{}/status/reported",
    "door/system/status": "devices/{}/status/heartbeat",
    "door/alerts": "system/alerts",
    "door/users/sync": "devices/{}/config",
    "iot/lights/circadian_rhythm": "devices/{}/telemetry/sensors",
    "iot/lights/motion": "devices/{}/telemetry/sensors",
}


def check(base: str, text: str, use: Use | None = None) -> TopicVerdict:
    """Judge `text` for that use; without one, wildcards make it a filter."""
    wild = "+" in text or "#" in text
    is_filter = use == "subscribe" or (use is None and wild)
    found = list(_by_the_standard(text, is_filter=is_filter, wild=wild))
    if not found:
        found += _by_the_house(base, text, publishing=not is_filter)
        found += _by_the_look(base, text)
    errors = any(one.level == "error" for one in found)
    return TopicVerdict(
        topic=text.encode("utf-8", "backslashreplace").decode(),
        kind="filter" if is_filter else "topic",
        valid=not errors,
        findings=tuple(found),
        suggestion=_suggestion(base, text) if found else None,
        leaf=None if errors else _leaf_of(base, text),
    )


def problem(text: str, *, is_filter: bool) -> str | None:
    """Why no MQTT client could use this; None when one could."""
    wild = "+" in text or "#" in text
    found = next(_by_the_standard(text, is_filter=is_filter, wild=wild), None)
    return None if found is None else found.reason


def _error(code: str, reason: str) -> Finding:
    return Finding(code, "error", reason)


def _warning(code: str, reason: str) -> Finding:
    return Finding(code, "warning", reason)


def _by_the_standard(text: str, *, is_filter: bool, wild: bool) -> Iterator[Finding]:
    """What MQTT 3.1.1 forbids (1.5.3, 4.7)."""
    if not text:
        yield _error("empty", "a topic has at least one character")
        return
    if any("\ud800" <= char <= "\udfff" for char in text):
        yield _error("not-utf8", "half of a surrogate pair is no character")
        return
    if "\0" in text:
        yield _error("null", "the character U+0000 is not allowed")
    if len(text.encode()) > _LONGEST:
        yield _error("too-long", f"it has more than {_LONGEST} bytes")
    if wild and not is_filter:
        yield _error("wildcard-in-topic", "+ and # are for subscribing; a message has one topic")
        return
    levels = text.split("/")
    if any("#" in level and level != "#" for level in levels):
        yield _error("hash-not-alone", "# stands for whole levels: a/#, not a#")
    if "#" in levels[:-1]:
        yield _error("hash-not-last", "# is the last level of a filter")
    if any("+" in level and level != "+" for level in levels):
        yield _error("plus-not-alone", "+ stands for one whole level: a/+/b, not a+/b")


def _by_the_house(base: str, text: str, *, publishing: bool) -> Iterator[Finding]:
    """What our broker refuses, or nobody would ever hear."""
    if text.startswith("$share/"):
        yield _error("shared-subscription", "shared subscriptions are of MQTT 5; this is 3.1.1")
    elif text.startswith("$") and publishing:
        yield _error("reserved", "topics with a leading $ are the broker's own to publish to")
    if text == base or text.startswith(base + "/"):
        yield from _in_the_tree(base, text)


def _in_the_tree(base: str, text: str) -> Iterator[Finding]:
    known = [leaf.topic for leaf in leaves(base, "+")]
    # A group's name is one level, too.
    known = [topic.replace("{group}", "+") for topic in known]
    if any(_overlap(text, leaf) for leaf in known):
        yield from _bad_ids(base, text)
    elif text in {base, *(f"{base}/{part}" for part in ("devices", "fleet", "discovery"))}:
        yield _error("incomplete", f"this is a branch of the tree; {text}/# has all that is below")
    else:
        yield _error("no-such-leaf", f"nothing below {base}/ has this name")


def _bad_ids(base: str, text: str) -> Iterator[Finding]:
    levels = text.removeprefix(base + "/").split("/")
    at = {"devices": 1, "discovery": 2}.get(levels[0])
    if at is None or len(levels) <= at or levels[at] in {"+", "#"} or topics.is_id(levels[at]):
        return
    yield _error(
        "bad-device-id",
        f"{levels[at][:_SHOWN]!r} cannot be a board: 1 to 32 of A-Z a-z 0-9 _ -",
    )


def _by_the_look(base: str, text: str) -> Iterator[Finding]:
    """What is allowed, and hardly ever meant."""
    levels = text.split("/")
    if levels[0] == "" and text != "/":
        yield _warning("leading-slash", "a leading / makes an empty first level")
    if "" in levels[1:-1]:
        yield _warning("empty-level", "// makes an empty level")
    if len(levels) > 1 and levels[-1] == "":
        yield _warning("trailing-slash", "a trailing / makes an empty last level")
    if any(level != level.strip() for level in levels):
        yield _warning("blank", "a level begins or ends with a blank")
    if any(unicodedata.category(char) in {"Cc", "Cf"} for char in text):
        yield _warning("invisible", "it holds characters that nobody sees")
    first = levels[0]
    if first != base and first.lower() == base.lower():
        yield _warning("case", f"upper and lower case differ: the tree is called {base}")
    if _legacy(base, text) is not None:
        yield _warning("legacy", "this is a topic of an older program")


def _suggestion(base: str, text: str) -> str | None:
    """The topic that was probably meant."""
    legacy = _legacy(base, text)
    if legacy is not None:
        return legacy
    levels = [level.strip() for level in text.replace("\0", "").split("/")]
    levels = [level for level in levels if level]
    if levels and levels[0].lower() == base.lower():
        levels[0] = base
    cleaned = "/".join(levels)
    if cleaned != text and topic_tree.valid_filter(cleaned):
        return cleaned
    if not cleaned.startswith(base + "/"):
        return None
    parts = cleaned.split("/")
    device = parts[2] if len(parts) > 2 and parts[1] == "devices" else "{id}"
    known = [leaf.topic for leaf in leaves(base, device)]
    close = difflib.get_close_matches(cleaned[:_SHOWN], known, 1, cutoff=0.75)
    return close[0] if close else None


def _legacy(base: str, text: str) -> str | None:
    canonical = _LEGACY.get(text.strip("/"))
    return None if canonical is None else f"{base}/{canonical.replace('{}', '{id}')}"


def _leaf_of(base: str, text: str) -> Leaf | None:
    if "+" in text or "#" in text:
        return None
    for leaf in leaves(base):
        pattern = leaf.topic.replace("{id}", "+").replace("{group}", "+")
        if topic_tree.matches(pattern, text):
            return leaf
    return None


def _overlap(one: str, other: str) -> bool:
    """True when some topic matches both filters."""
    left, right = one.split("/"), other.split("/")
    for index in range(max(len(left), len(right))):
        a = left[index] if index < len(left) else None
        b = right[index] if index < len(right) else None
        if "#" in (a, b):
            return True
        if a is None or b is None or (a != b and "+" not in (a, b)):
            return False
    return True
