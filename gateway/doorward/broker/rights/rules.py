"""Rules: who may, or may not, publish to and read the topics of a filter. A deny beats every allow. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple

from doorward.broker.rights.filters import covers, overlaps
from doorward.errors import InvalidInput
from doorward_core import topic_tree

Action = Literal["publish", "subscribe"]
Effect = Literal["allow", "deny"]

ROLE: Final = "role:"
USER: Final = "user:"
DEVICE, WAITING, GATEWAY, API, USERS = (
    "device",
    "waiting",
    "gateway",
    "api",
    "users",
)  # of what is built in

# What a level of a topic can be made of without meaning anything else to a broker, ours or another.
_NAME = re.compile(r"[A-Za-z0-9_.@-]{1,64}")
_LONGEST_FILTER = 1024


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. In `topic_filter` %u stands for the user name, %c for the client id."""

    subject: str
    effect: Effect
    publish: bool
    subscribe: bool
    topic_filter: str
    built_in: bool = False

    @property
    def key(self) -> tuple[str, str, str]:
        """What there is one rule of: subject, effect and filter."""
        return self.subject, self.effect, self.topic_filter

    @property
    def action(self) -> Literal["publish", "subscribe", "both"]:
        """What it is about."""
        if self.publish and self.subscribe:
            return "both"
        return "publish" if self.publish else "subscribe"

    def is_about(self, action: Action) -> bool:
        """True when it has a say in this."""
        return self.publish if action == "publish" else self.subscribe

    def __str__(self) -> str:
        """As a refusal names it: `deny role:Student publish school/#`."""
        words = "publish+subscribe" if self.action == "both" else self.action
        return f"{self.effect} {self.subject} {words} {self.topic_filter}"


class Rights(NamedTuple):
    """The topic filters within which one client may move, and those where it may not."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]
    deny_publish: tuple[str, ...] = ()
    deny_subscribe: tuple[str, ...] = ()


class Verdict(NamedTuple):
    """Whether something is allowed, and the rule that decides; None where no rule allows it."""

    allowed: bool
    rule: Rule | None


def is_name(text: str) -> bool:
    """True for what a user or a role may be called: 1 to 64 of A-Z a-z 0-9 _ . @ and -."""
    return _NAME.fullmatch(text) is not None


def checked(rule: Rule) -> Rule:
    """A rule somebody wants to make. Raises InvalidInput."""
    kind, colon, name = rule.subject.partition(":")
    if f"{kind}{colon}" not in (ROLE, USER) or not is_name(name):
        raise InvalidInput(
            f"{rule.subject!r} names nobody", "write role:NAME or user:NAME", field="subject"
        )
    if not (rule.publish or rule.subscribe):
        raise InvalidInput("nothing is said", "name publish, subscribe or both", field="action")
    text = rule.topic_filter
    if not topic_tree.valid_filter(text) or len(text) > _LONGEST_FILTER:
        raise InvalidInput(
            f"{text[:80]!r} is no topic filter",
            "levels between /, + for one level, # for the rest, like school/+/notices/#",
            field="filter",
        )
    unknown = re.search(r"%(?![uc])", text)
    if unknown is not None:
        raise InvalidInput(
            f"{text[unknown.start() :][:2]!r} stands for nothing",
            "%u is the user name, %c the client id",
            field="filter",
        )
    return rule


def filled(rule: Rule, name: str, client: str) -> Rule | None:
    """The rule for one client, with its names in the filter; None when an allow cannot be said of this client.

    A name that holds a / or a wildcard could reach other topics than its own. It gets nothing by such a rule, and a
    deny then counts for every name.
    """
    text = rule.topic_filter
    if "%" not in text:
        return rule
    for sign, value in (("%u", name), ("%c", client)):
        if sign not in text:
            continue
        if not is_name(value):
            if rule.effect == "allow":
                return None
            text = "/".join("+" if sign in level else level for level in text.split("/"))
        else:
            text = text.replace(sign, value)
    return replace(rule, topic_filter=text)


def judge(rules: Iterable[Rule], action: Action, asked: str) -> Verdict:
    """Whether these rules, their names filled in, let somebody do that with a topic or a whole filter."""
    allowed = None
    for rule in rules:
        if not rule.is_about(action):
            continue
        if rule.effect == "deny":
            if overlaps(rule.topic_filter, asked):
                return Verdict(False, rule)
        elif allowed is None and covers(rule.topic_filter, asked):
            allowed = rule
    return Verdict(allowed is not None, allowed)


def rights_of(rules: Iterable[Rule]) -> Rights:
    """The same rules as filters."""
    found: dict[tuple[str, str], list[str]] = {}
    for rule in rules:
        for action in ("publish", "subscribe"):
            if rule.is_about(action):
                found.setdefault((rule.effect, action), []).append(rule.topic_filter)
    return Rights(
        *(
            tuple(found.get((effect, action), ()))
            for effect in ("allow", "deny")
            for action in ("publish", "subscribe")
        )
    )
