"""What the API of the broker takes and gives."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from doorward.app.views.broker import BrokerRule
from doorward.web.api.shapes.base import Answer, Name, Order, Secret


class BrokerUserOrder(Order):
    """A user to let in."""

    name: Name
    password: Secret
    roles: Annotated[list[Name], Field(default_factory=list, max_length=64)]


class BrokerNameOrder(Order):
    """A user to be."""

    name: Name
    roles: Annotated[list[Name], Field(default_factory=list, max_length=64)]


class BrokerPasswordOrder(Order):
    """A new password."""

    password: Secret


class BrokerRolesOrder(Order):
    """The roles that a user has from now on."""

    roles: Annotated[list[Name], Field(max_length=64)]


class RuleOrder(Order):
    """A rule: subject is role:NAME or user:NAME; in the filter %u is the user's name and %c its client id."""

    subject: Name
    filter: Annotated[str, Field(min_length=1, max_length=1024)]
    action: Literal["publish", "subscribe", "both"] = "both"
    effect: Literal["allow", "deny"] = "allow"

    def rule(self) -> BrokerRule:
        """The rule that is meant."""
        return BrokerRule(self.subject, self.effect, self.action, self.filter)


class BrokerUserAnswer(Answer):
    """Somebody, or a tool, with a password at the broker.

    connections: null where another program is the broker; needs_password: that program was never told one.
    certificate: its serial, hex; empty without one; null after a change, and while the signer is away.
    """

    name: str
    roles: list[str]
    connections: int | None
    needs_password: bool
    certificate: str | None


class BrokerCertificateAnswer(Answer):
    """A user's certificate and key, and the CA of the broker, PEM: nobody can have the key a second time."""

    name: str
    serial: str
    certificate: str
    key: str
    authority: str


class BrokerRuleAnswer(Answer):
    """A rule."""

    subject: str
    effect: str
    action: str
    filter: Annotated[str, Field(validation_alias="topic_filter")]
    built_in: bool


class GrantedAnswer(Answer):
    """A rule as it stands, and what whoever made it should know."""

    rule: BrokerRuleAnswer
    warnings: list[str]


class BrokerVerdictAnswer(Answer):
    """Whether a principal may do something. rule: the one that decides, null where none allows it."""

    principal: str
    client: str
    roles: list[str]
    action: str
    topic: str
    allowed: bool
    why: str
    rule: BrokerRuleAnswer | None


class BrokerEntryAnswer(Answer):
    """One line of the broker's log. more: how many like it were counted instead of written."""

    number: int
    at: datetime
    action: str
    principal: str
    client: str
    topic: str
    qos: int | None
    size: int | None
    detail: str
    more: int


class BrokerFiguresAnswer(Answer):
    """The broker's counters by name."""

    numbers: dict[str, int]


class SyncedAnswer(Answer):
    """A look at the accounts of a broker outside: how many there are to be, and each command that it took.

    need_password: users that cannot come in until somebody gives them a password anew.
    """

    wanted: int
    changed: list[str]
    need_password: list[str]
