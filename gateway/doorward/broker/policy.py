"""Who may publish and read what. Rights are topic filters; a request is granted when one filter covers all of it."""

from typing import NamedTuple

from doorward.broker.principals import Principal, Role
from doorward_core import topic_tree, topics

NOT_GRANTED = "not-granted"
FOREIGN_DEVICE = "foreign-device"
OUTSIDE_BASE = "outside-base"

_MOST_CACHED = 8192


class Rights(NamedTuple):
    """The topic filters within which one principal may move."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


class Policy:
    """The built-in rights: a device speaks and listens on its own leaves, the gateway on everything under the base.

    A device that nobody has approved yet may announce itself and hear the answer, nothing else.
    """

    def __init__(self, base: str = topics.BASE) -> None:
        """Raise ValueError when `base` is not a plain topic."""
        if not topic_tree.valid_topic(base) or base.startswith("$"):
            raise ValueError(f"{base!r} cannot be the base of all topics")
        self.base = base
        self._publish_cache: dict[tuple[Principal, str], str | None] = {}

    def rights(self, principal: Principal) -> Rights:
        """The filters granted to `principal`."""
        if principal.role is Role.GATEWAY:
            everything = (self.base + "/#",)
            return Rights(everything, everything)
        if principal.role is Role.USER:
            return Rights((), ())
        if principal.role is Role.WAITING:
            return Rights(
                self._own(principal, topic_tree.WAITING_UP),
                self._own(principal, topic_tree.WAITING_DOWN),
            )
        return Rights(self._own(principal, topic_tree.UP), self._own(principal, topic_tree.DOWN))

    def places_of(self, name: str) -> tuple[str, ...]:
        """The filters that match every topic that belongs to the device of that name, and no other."""
        everything = topics.device_topic(self.base, name, "#")
        leaves = (*topic_tree.WAITING_UP, *topic_tree.WAITING_DOWN)
        return (everything, *(topics.device_topic(self.base, name, leaf) for leaf in leaves))

    def _own(self, principal: Principal, leaves: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(topics.device_topic(self.base, principal.name, leaf) for leaf in leaves)

    def refuses_publish(self, principal: Principal, topic: str) -> str | None:
        """The rule that forbids publishing to `topic`, None when it is allowed."""
        key = (principal, topic)
        try:
            return self._publish_cache[key]
        except KeyError:
            pass
        if len(self._publish_cache) >= _MOST_CACHED:
            self._publish_cache.clear()
        rule = self._judge(principal, self.rights(principal).publish, topic)
        self._publish_cache[key] = rule
        return rule

    def refuses_subscribe(self, principal: Principal, topic_filter: str) -> str | None:
        """The rule that forbids subscribing, None when every topic the filter can match may be read."""
        return self._judge(principal, self.rights(principal).subscribe, topic_filter)

    def may_read(self, principal: Principal, topic: str) -> bool:
        """True when a message on `topic` may reach `principal`; asked again at delivery, whatever was subscribed."""
        return any(
            topic_tree.matches(granted, topic) for granted in self.rights(principal).subscribe
        )

    def may_retain(self, topic: str) -> bool:
        """True when a message on `topic` may be retained: states and settings may, commands and calls never."""
        parsed = topic_tree.parse(self.base, topic)
        return parsed is None or topic_tree.may_be_retained(parsed[1])

    def keeps(self, topic: str) -> bool:
        """True when a message on `topic` waits for a client that is away: calls and their answers do not."""
        parsed = topic_tree.parse(self.base, topic)
        return parsed is None or parsed[1] not in topic_tree.NOT_QUEUED

    def denied_topic(self, principal: Principal) -> str:
        """Where a device hears that it was refused."""
        return topics.device_topic(self.base, principal.name, topics.DENIED)

    def _judge(self, principal: Principal, granted: tuple[str, ...], asked: str) -> str | None:
        if any(covers(one, asked) for one in granted):
            return None
        if not covers(self.base + "/#", asked):
            return OUTSIDE_BASE
        owner = topic_tree.parse(self.base, asked)
        return NOT_GRANTED if owner and owner[0] == principal.name else FOREIGN_DEVICE


def covers(granted: str, asked: str) -> bool:
    """True when every topic that `asked` (a topic or a filter) matches is matched by `granted` too."""
    if asked[:1] == "$" and granted[:1] in ("+", "#"):
        return False
    wanted = asked.split("/")
    levels = granted.split("/")
    for index, level in enumerate(levels):
        if level == "#":
            return True
        if index >= len(wanted) or wanted[index] == "#":
            return False
        if level not in ("+", wanted[index]):
            return False
    return len(levels) == len(wanted)
