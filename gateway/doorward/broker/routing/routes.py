"""Who receives what is published on a topic: found once, and remembered until a subscription or a right changes."""

from collections.abc import Callable
from typing import NamedTuple

from doorward.broker.rights.policy import LONGEST_KEPT, Policy
from doorward.broker.routing.subscriptions import SubscriptionTree
from doorward.broker.sessions.session import Session

_MOST = 4096


class Route(NamedTuple):
    """What is known of a topic once somebody has published to it."""

    keep: bool  # its messages wait for who is away
    recipients: tuple[tuple[Session, int], ...]  # and the QoS granted to them


class Routes:
    """Every subscription, by topic. `reads` says who may read what, whatever was subscribed."""

    def __init__(self, policy: Policy, reads: Callable[[Session, str], bool]) -> None:
        """Start without a subscription."""
        self._policy = policy
        self._reads = reads
        self._tree: SubscriptionTree[Session] = SubscriptionTree()
        self._known: dict[str, Route] = {}

    def of(self, topic: str) -> Route:
        """Who receives a message on `topic`."""
        return self._known.get(topic) or self._find(topic)

    def add(self, session: Session, topic_filter: str, qos: int) -> None:
        """Subscribe; a second time replaces the QoS."""
        self._tree.add(topic_filter, session, qos)
        self._known.clear()

    def remove(self, session: Session, topic_filter: str) -> None:
        """End a subscription; unknown ones are ignored."""
        self._tree.remove(topic_filter, session)
        self._known.clear()

    def forget(self) -> None:
        """Ask anew who receives what: somebody's rights have changed."""
        self._known.clear()

    def _find(self, topic: str) -> Route:
        found = self._tree.match(topic).items()
        recipients = tuple(one for one in found if self._reads(one[0], topic))
        route = Route(self._policy.keeps(topic), recipients)
        if len(topic) <= LONGEST_KEPT:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[topic] = route
        return route
