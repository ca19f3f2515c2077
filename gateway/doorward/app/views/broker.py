"""What the application shows of the broker: its users, its rules, and what happens there. No secret, no payload."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

RuleAction = Literal["publish", "subscribe", "both"]
RuleEffect = Literal["allow", "deny"]


@dataclass(frozen=True, slots=True)
class BrokerUser:
    """Somebody, or a tool, that comes to the broker with a name and a password.

    connections: None where another program is the broker. needs_password: that program was never told one.
    certificate: its serial, hex; empty without one, None where nobody asked for it or the signer is away.
    """

    name: str
    roles: tuple[str, ...]
    connections: int | None = 0
    needs_password: bool = False
    certificate: str | None = None


@dataclass(frozen=True, slots=True)
class BrokerRule:
    """Who may, or may not, do what with the topics of a filter.

    subject: `role:NAME` or `user:NAME`, and of what is built in `device`, `waiting`, `gateway` or `users`. In the
    filter %u stands for the user's name and %c for the client id. What is built in cannot be revoked.
    """

    subject: str
    effect: RuleEffect
    action: RuleAction
    topic_filter: str
    built_in: bool = False


@dataclass(frozen=True, slots=True)
class BrokerSynced:
    """What a look at the accounts of a broker outside came to: how many there are to be, and what was corrected.

    need_password: the users that cannot come in until somebody gives them a password anew.
    """

    wanted: int
    changed: tuple[str, ...]
    need_password: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Granted:
    """A rule as it stands after a change; `warnings` are for whoever made it."""

    rule: BrokerRule
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BrokerVerdict:
    """Whether a principal may do something, and the rule that decides; `rule` is None where no rule allows it."""

    principal: str
    client: str
    action: Literal["publish", "subscribe"]
    topic: str
    allowed: bool
    why: str
    rule: BrokerRule | None = None
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BrokerEntry:
    """One line of the broker's log. Numbers rise by one; `more` like it were counted instead of written."""

    number: int
    at: datetime
    action: str
    principal: str
    client: str = ""
    topic: str = ""
    qos: int | None = None
    size: int | None = None
    detail: str = ""
    more: int = 0


@dataclass(frozen=True, slots=True)
class BrokerFigures:
    """The broker in numbers, by name: connections, sessions, retained, denied and others."""

    numbers: dict[str, int] = field(default_factory=dict)
