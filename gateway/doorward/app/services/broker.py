"""What can be asked about the broker's users, rules and log; errors as in `services`."""

from collections.abc import Sequence
from typing import Protocol

from doorward.app.services.feed import Feed
from doorward.app.trust import UserIdentity
from doorward.app.views.broker import (
    BrokerEntry,
    BrokerFigures,
    BrokerRule,
    BrokerSynced,
    BrokerUser,
    BrokerVerdict,
    Granted,
)


class BrokerAdministration(Protocol):
    """Who may come to the broker and what they may do there. Every change acts at once, on live connections too."""

    @property
    def feed(self) -> Feed:
        """The log as it is written: each item holds a `BrokerEntry`, under its number."""

    @property
    def log_elsewhere(self) -> str:
        """Where the log is when another program keeps it, as a next step; what is here are changes alone then."""

    def users(self) -> tuple[BrokerUser, ...]: ...

    async def users_with_certificates(self) -> tuple[BrokerUser, ...]:
        """The same, and which certificate each has: the signer is asked."""

    async def check_user(self, name: str, roles: Sequence[str]) -> None:
        """Raise what `add_user` would raise, whatever the password."""

    async def add_user(
        self, name: str, password: str, roles: Sequence[str], *, actor: str
    ) -> BrokerUser: ...

    async def set_password(self, name: str, password: str, *, actor: str) -> BrokerUser:
        """Its connections end; who has the new password comes back with it."""

    async def set_roles(self, name: str, roles: Sequence[str], *, actor: str) -> BrokerUser: ...

    async def remove_user(self, name: str, *, actor: str) -> None:
        """Its connections end, with its sessions and its own rules."""

    async def certify(self, name: str, *, actor: str) -> UserIdentity:
        """A key and a certificate that it has to show from now on; an older one is void. Its connections end."""

    async def revoke_certificate(self, name: str, *, actor: str) -> None:
        """Its name and password are enough again, where nobody is asked for a certificate. Its connections end."""

    def roles(self) -> tuple[str, ...]:
        """Every role that is shipped, or that a rule names."""

    def rules(self) -> tuple[BrokerRule, ...]:
        """What is built in first."""

    async def grant(self, rule: BrokerRule, *, actor: str) -> Granted:
        """Add a rule, or widen the one for the same subject, effect and filter."""

    async def revoke(self, rule: BrokerRule, *, actor: str) -> BrokerRule:
        """Take a rule back as far as its action goes; returns what is gone."""

    def explain(
        self, principal: str, action: str, topic: str, client: str | None = None
    ) -> BrokerVerdict:
        """Whether this principal may do that, and by which rule. client: a user's client id, its name by default."""

    async def log(
        self,
        limit: int = 50,
        *,
        action: str | None = None,
        principal: str | None = None,
        before: int | None = None,
        after: int | None = None,
    ) -> tuple[BrokerEntry, ...]:
        """At most `limit` (1-500) entries, newest first; with `after` those at hand that are newer, oldest first."""

    def figures(self) -> BrokerFigures: ...


class OutsideBroker(Protocol):
    """A broker of its own process, to which the accounts of this site are written."""

    async def sync(self) -> BrokerSynced:
        """Look at all accounts, and correct those that differ. Raises Unavailable."""
