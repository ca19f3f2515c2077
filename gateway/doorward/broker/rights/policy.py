"""Who may publish and read what: the built-in rules and the edited ones, asked for one client at a time."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TypeVar

from doorward.broker.identity.principals import Principal, Role
from doorward.broker.rights.filters import covers
from doorward.broker.rights.rules import (
    API,
    DEVICE,
    GATEWAY,
    ROLE,
    USER,
    USERS,
    WAITING,
    Action,
    Rights,
    Rule,
    Verdict,
    filled,
    judge,
    rights_of,
)
from doorward.broker.rights.shipped import built_in
from doorward_core import topic_tree, topics

NOT_GRANTED = "not-granted"
FOREIGN_DEVICE = "foreign-device"
OUTSIDE_BASE = "outside-base"

_MOST_CLIENTS = 8192
_MOST_TOPICS = 1024
LONGEST_KEPT = (
    512  # characters of a topic whose verdict is remembered: longer ones would fill memory
)

_SUBJECTS = {Role.DEVICE: DEVICE, Role.WAITING: WAITING, Role.GATEWAY: GATEWAY}

Answer = TypeVar("Answer")


class _Known:
    """The rules of one client, its names filled in, and what was asked of them lately."""

    __slots__ = ("principal", "publishes", "reads", "rules")

    def __init__(self, principal: Principal, rules: tuple[Rule, ...]) -> None:
        self.principal = principal
        self.rules = rules
        self.publishes: dict[str, str | None] = {}
        self.reads: dict[str, bool] = {}


class Policy:
    """A device speaks and listens on its own leaves, the gateway everywhere under the base, users by the rules.

    A device that nobody has approved yet may announce itself and hear the answer, nothing else. Every answer is for
    one client: `client` is its client id, the principal's name when it is left out.
    """

    def __init__(self, base: str = topics.BASE, rules: Iterable[Rule] = ()) -> None:
        """Raise ValueError when `base` is not a plain topic."""
        if not topic_tree.valid_topic(base) or base.startswith("$"):
            raise ValueError(f"{base!r} cannot be the base of all topics")
        self.base = base
        self.built_in = built_in(base)
        self._by_subject: dict[str, list[Rule]] = {}
        self._known: dict[tuple[str, str], _Known] = {}
        self.use(rules)

    def use(self, rules: Iterable[Rule]) -> None:
        """Take these rules, and the built-in ones, instead of those before; nothing that was asked is remembered."""
        found: defaultdict[str, list[Rule]] = defaultdict(list)
        for rule in (*self.built_in, *rules):
            found[rule.subject].append(rule)
        self._by_subject = dict(found)
        # Boards' rights do not change: thousands of them need not be made again.
        self._known = {
            key: known
            for key, known in self._known.items()
            if known.principal.role is not Role.USER
        }

    def rules_of(self, principal: Principal, client: str | None = None) -> tuple[Rule, ...]:
        """Every rule that has a say for one client, with its names filled in."""
        return self._look_up(principal, client).rules

    def rights(self, principal: Principal, client: str | None = None) -> Rights:
        """The same as topic filters."""
        return rights_of(self.rules_of(principal, client))

    def judge(
        self, principal: Principal, action: Action, asked: str, client: str | None = None
    ) -> Verdict:
        """Whether one client may do that, and the rule that decides."""
        return judge(self.rules_of(principal, client), action, asked)

    def explain(
        self, principal: Principal, action: Action, asked: str, client: str | None = None
    ) -> Verdict:
        """The same, and the rule as it was written, its names not filled in."""
        written = [
            (filled(rule, principal.name, client or principal.name), rule)
            for rule in self._written(principal)
        ]
        allowed, decides = judge((one for one, _ in written if one), action, asked)
        return Verdict(allowed, next((rule for one, rule in written if one is decides), None))

    def refuses_publish(
        self, principal: Principal, topic: str, client: str | None = None
    ) -> str | None:
        """The rule that forbids publishing to `topic`, None when it is allowed."""
        known = self._look_up(principal, client)
        try:
            return known.publishes[topic]
        except KeyError:
            pass
        rule = self._refusal(principal, judge(known.rules, "publish", topic), topic)
        _remember(known.publishes, topic, rule)
        return rule

    def refuses_subscribe(
        self, principal: Principal, topic_filter: str, client: str | None = None
    ) -> str | None:
        """The rule that forbids subscribing, None when every topic the filter can match may be read."""
        verdict = self.judge(principal, "subscribe", topic_filter, client)
        return self._refusal(principal, verdict, topic_filter)

    def may_read(self, principal: Principal, topic: str, client: str | None = None) -> bool:
        """True when a message on `topic` may reach this client; asked again at delivery, whatever was subscribed."""
        known = self._look_up(principal, client)
        try:
            return known.reads[topic]
        except KeyError:
            pass
        allowed = judge(known.rules, "subscribe", topic).allowed
        _remember(known.reads, topic, allowed)
        return allowed

    def places_of(self, name: str) -> tuple[str, ...]:
        """The filters that match every topic that belongs to the device of that name, and no other."""
        everything = topics.device_topic(self.base, name, "#")
        leaves = (*topic_tree.WAITING_UP, *topic_tree.WAITING_DOWN)
        return (everything, *(topics.device_topic(self.base, name, leaf) for leaf in leaves))

    def may_retain(self, topic: str) -> bool:
        """True when a message on `topic` may be retained: states and settings may, commands and calls never."""
        parsed = topic_tree.parse(self.base, topic)
        return parsed is None or topic_tree.may_be_retained(parsed[1])

    def keeps(self, topic: str) -> bool:
        """True when a message on `topic` waits for a client that is away: calls and their answers do not."""
        parsed = topic_tree.parse(self.base, topic)
        return parsed is None or parsed[1] not in topic_tree.NOT_QUEUED

    def is_probe(self, principal: Principal, topic: str, payload: bytes) -> bool:
        """Whether a device tries, because it tests itself, what it must be refused: nobody need be told of that."""
        if payload != topics.PROBE or principal.role is not Role.DEVICE:
            return False
        return topic == topics.device_topic(self.base, principal.name, topics.ACCESS_RESPONSE)

    def denied_topic(self, principal: Principal) -> str:
        """Where a device hears that it was refused."""
        return topics.device_topic(self.base, principal.name, topics.DENIED)

    def _look_up(self, principal: Principal, client: str | None) -> _Known:
        name = principal.name
        key = (name, name if client is None else client)
        known = self._known.get(key)
        if known is not None and (known.principal is principal or known.principal == principal):
            return known
        if len(self._known) >= _MOST_CLIENTS:
            self._known.clear()
        rules = (filled(rule, name, key[1]) for rule in self._written(principal))
        known = _Known(principal, tuple(rule for rule in rules if rule is not None))
        self._known[key] = known
        return known

    def _written(self, principal: Principal) -> Iterator[Rule]:
        for subject in _subjects(principal):
            yield from self._by_subject.get(subject, ())

    def _refusal(self, principal: Principal, verdict: Verdict, asked: str) -> str | None:
        if verdict.allowed:
            return None
        if verdict.rule is not None:
            return str(verdict.rule)
        if principal.role in {Role.USER, Role.API}:
            return NOT_GRANTED
        if not covers(self.base + "/#", asked):
            return OUTSIDE_BASE
        owner = topic_tree.parse(self.base, asked)
        return NOT_GRANTED if owner and owner[0] == principal.name else FOREIGN_DEVICE


def _remember(answers: dict[str, Answer], topic: str, answer: Answer) -> None:
    if len(topic) > LONGEST_KEPT:
        return
    if len(answers) >= _MOST_TOPICS:
        answers.clear()
    answers[topic] = answer


def _subjects(principal: Principal) -> tuple[str, ...]:
    if principal.role is Role.API:
        return (USERS, API)
    if principal.role is not Role.USER:
        return (_SUBJECTS[principal.role],)
    roles = (ROLE + role for role in sorted(principal.roles))
    return (USERS, USER + principal.name, *roles)
