"""How much of our memory clients may fill with what they leave: sessions, filters and retained messages.

Boards are bound by their topics already. A user may choose names, topics and depth, and each level of a filter or of a
retained topic costs us some hundred bytes.
"""

from collections.abc import Mapping
from weakref import WeakValueDictionary

from doorward.broker.identity.principals import Principal, Role
from doorward.broker.limits import Limits
from doorward.broker.routing.retained import RetainedMessages, cost
from doorward.broker.sessions.session import Session
from doorward.broker.sessions.share import Share

TOO_MANY_FILTERS = "too-many-subscriptions"
TOO_DEEP = "too-deep"
RETAINED_FULL = "retained-full"

_PEOPLE = frozenset({Role.USER, Role.API})
_DEEP = 32  # levels: filters of fewer are bounded well enough by their number


class Quotas:
    """Looks at what is there; who is over a limit is told the rule, and nothing changes."""

    def __init__(
        self, limits: Limits, sessions: Mapping[str, Session], retained: RetainedMessages
    ) -> None:
        """Watch these, which their owner changes."""
        self._limits = limits
        self._sessions = sessions
        self._retained = retained
        self._shares: WeakValueDictionary[str, Share] = WeakValueDictionary()

    def share_of(self, principal: Principal) -> Share | None:
        """The share of a session of this principal; None for boards, which have one session, and for the gateway."""
        if principal.role not in _PEOPLE:
            return None
        share = self._shares.get(principal.name)
        if share is None:
            share = self._shares[principal.name] = Share(self._limits.queued_bytes_per_user)
        return share

    def refuses_session(self, principal: Principal, client: str) -> str | None:
        """Why a user may not leave one more session here."""
        session = self._sessions.get(client)
        if session is not None and not session.clean:
            return None
        kept = sum(not one.clean for one in self._of(principal))
        if kept < self._limits.sessions:
            return None
        return f"{kept} sessions of its own are kept already"

    def refuses_filter(self, session: Session, topic_filter: str) -> str | None:
        """Why a session may not have one more filter."""
        if topic_filter in session.subscriptions:
            return None
        if len(session.subscriptions) >= self._limits.subscriptions:
            return TOO_MANY_FILTERS
        depth = _depth(topic_filter)
        if depth and depth + self._depths(session.principal) > self._limits.levels:
            return TOO_DEEP
        return None

    def refuses_retained(self, principal: Principal, topic: str, payload: bytes) -> str | None:
        """Why a user may not leave this message on its topic. One that takes no more room than that before it may."""
        if principal.role not in _PEOPLE or not payload:
            return None
        limits, retained = self._limits, self._retained
        wanted, before = cost(topic, payload), retained.get(topic)
        there = cost(topic, before.payload) if before else 0
        own = there if before and before.owner == principal.name else 0
        if wanted > there and retained.size + wanted - there > limits.retained_bytes:
            return RETAINED_FULL
        share = retained.size_of(principal.name) + wanted - own
        if wanted > own and share > limits.retained_bytes_per_user:
            return RETAINED_FULL
        return None

    def _of(self, principal: Principal) -> list[Session]:
        name = principal.name
        return [one for one in self._sessions.values() if one.principal.name == name]

    def _depths(self, principal: Principal) -> int:
        return sum(_depth(text) for one in self._of(principal) for text in one.subscriptions)


def _depth(topic_filter: str) -> int:
    levels = topic_filter.count("/") + 1
    return levels if levels > _DEEP else 0
