"""The broker's users, rules and log, as the page, the API and the command line administer them."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from doorward.app.feed import LiveFeed
from doorward.app.operators.accounts import check_password
from doorward.app.ports import Passwords
from doorward.app.trust import UserIdentity
from doorward.app.views.broker import (
    BrokerEntry,
    BrokerFigures,
    BrokerRule,
    BrokerUser,
    BrokerVerdict,
    Granted,
)
from doorward.broker import Principal
from doorward.broker.ports import Entry, LogQuery, Store
from doorward.broker.reports.log import ACTIONS, CHANGED
from doorward.broker.rights.rules import Action, Rule
from doorward.domain import audit
from doorward.domain.instants import instant
from doorward.errors import InvalidInput, NotFound, SigningUnavailable
from doorward.runtime.brokers.administered import Administered, Elsewhere, Here
from doorward.runtime.brokers.owed_records import OwedRecords, Record, unrecorded
from doorward.runtime.brokers.user_certificates import NobodysCertificates, UserCertificates

_MOST = 500


class BrokerDesk:
    """`BrokerAdministration` of what is kept in broker.db, for the embedded broker and for another."""

    def __init__(
        self,
        broker: Administered,
        store: Store,
        passwords: Passwords,
        *,
        built_in: Sequence[Rule],
        record: Record = unrecorded,
        elsewhere: Elsewhere | None = None,
        certificates: UserCertificates | None = None,
    ) -> None:
        """Administer a broker that runs, or what `elsewhere` is told; `built_in` are its policy's own rules."""
        self._broker = broker
        self._acl = broker.acl
        self._log = broker.log
        self._store = store
        self._passwords = passwords
        self._built_in = built_in
        self._records = OwedRecords(record)
        self._elsewhere: Elsewhere = elsewhere or Here()
        self._certificates: UserCertificates = certificates or NobodysCertificates()
        # Its numbers are those of the log: a reader that comes back names the last line that it has.
        self.feed = LiveFeed(self._log.number)
        self._log.listeners.append(lambda entry: self.feed.publish("broker", _entry(entry)))

    # --- users ------------------------------------------------------------------------------------

    def users(self) -> tuple[BrokerUser, ...]:
        """Everybody with a password, by name."""
        return tuple(map(self._user, self._acl.users()))

    async def users_with_certificates(self) -> tuple[BrokerUser, ...]:
        """The same with their certificates, None while the signer is away."""
        try:
            held = await self._certificates.held([user.name for user in self._acl.users()])
        except SigningUnavailable:
            return self.users()
        # Who was added meanwhile cannot have one yet.
        return tuple(
            replace(user, certificate=f"{held[user.name]:x}" if user.name in held else "")
            for user in self.users()
        )

    async def check_user(self, name: str, roles: Sequence[str]) -> None:
        """Raise InvalidInput, NotFound for a role, or Conflict, as `add_user` would."""
        self._acl.check_new(name, roles)
        await self._elsewhere.check_new(name)

    async def add_user(
        self, name: str, password: str, roles: Sequence[str], *, actor: str
    ) -> BrokerUser:
        """Let somebody in. Raises InvalidInput, NotFound for a role, Conflict."""
        await self.check_user(name, roles)
        check_password(password)
        hashed = await self._passwords.hash(password)
        await self._certificates.forget(name)  # of somebody who had the name before
        made = self._acl.add_user(name, hashed, roles)
        await self._changed(
            audit.BROKER_USER, actor, f"{name} may connect, {_as(made)}.", name, password
        )
        return self._user(made)

    async def set_password(self, name: str, password: str, *, actor: str) -> BrokerUser:
        """Give a user another password. Raises InvalidInput or NotFound."""
        self._acl.get_user(name)
        check_password(password)
        hashed = await self._passwords.hash(password)
        user = self._acl.set_password(name, hashed)
        await self._changed(
            audit.BROKER_USER, actor, f"{name} has a new password at the broker.", name, password
        )
        return self._user(user)

    async def set_roles(self, name: str, roles: Sequence[str], *, actor: str) -> BrokerUser:
        """Let a user follow other rules. Raises NotFound."""
        user = self._acl.set_roles(name, roles)
        await self._changed(audit.BROKER_USER, actor, f"{name} is known {_as(user)} now.")
        return self._user(user)

    async def remove_user(self, name: str, *, actor: str) -> None:
        """Shut a user out. Raises NotFound."""
        self._acl.remove_user(name)
        try:
            await self._certificates.forget(name)
        finally:
            await self._changed(audit.BROKER_USER, actor, f"{name} may no longer connect.")

    async def certify(self, name: str, *, actor: str) -> UserIdentity:
        """Give a user a certificate; an older one is void, what is connected is closed. Raises NotFound, Conflict."""
        self._acl.get_user(name)
        made = await self._certificates.issue(name)
        try:
            self._acl.disconnect(name)
        except NotFound:
            await self._certificates.forget(name)
            raise
        why = f"{name} has a certificate at the broker, {made.serial:x}."
        await self._changed(audit.BROKER_USER, actor, why)
        return made

    async def revoke_certificate(self, name: str, *, actor: str) -> None:
        """Take it back; what is connected is closed. Raises NotFound for a user, or one without a certificate."""
        self._acl.get_user(name)
        if not await self._certificates.forget(name):
            raise NotFound(f"{name} has no certificate", field="name")
        with contextlib.suppress(NotFound):
            self._acl.disconnect(name)
        why = f"The certificate of {name} is revoked."
        await self._changed(audit.BROKER_USER, actor, why)

    # --- rules ------------------------------------------------------------------------------------

    def roles(self) -> tuple[str, ...]:
        """Every role that there is."""
        return self._acl.roles()

    def rules(self) -> tuple[BrokerRule, ...]:
        """What is built in, then what can be revoked."""
        return tuple(_rule(rule) for rule in (*self._built_in, *self._acl.rules()))

    async def grant(self, rule: BrokerRule, *, actor: str) -> Granted:
        """Add or widen a rule. Raises InvalidInput, NotFound or Conflict."""
        made, warnings = self._acl.grant(_asked(rule))
        await self._changed(audit.BROKER_RULE, actor, f"From now on: {made}.")
        return Granted(_rule(made), warnings)

    async def revoke(self, rule: BrokerRule, *, actor: str) -> BrokerRule:
        """Take a rule back. Raises NotFound."""
        gone = self._acl.revoke(_asked(rule))
        await self._changed(audit.BROKER_RULE, actor, f"No longer: {gone}.")
        return _rule(gone)

    def explain(
        self, principal: str, action: str, topic: str, client: str | None = None
    ) -> BrokerVerdict:
        """Name the rule that decides. Raises NotFound or InvalidInput."""
        wanted: Action = "publish" if action == "publish" else "subscribe"
        found = self._acl.explain(principal, wanted, topic, client)
        return BrokerVerdict(
            principal=found.principal.name,
            client=client or found.principal.name,
            action=wanted,
            topic=topic,
            allowed=found.allowed,
            why=found.why,
            rule=None if found.rule is None else _rule(found.rule),
            roles=tuple(sorted(found.principal.roles)),
        )

    # --- what happens -----------------------------------------------------------------------------

    @property
    def log_elsewhere(self) -> str:
        """What to do to see the log that another program keeps, empty for our own."""
        return self._elsewhere.log

    async def log(
        self,
        limit: int = 50,
        *,
        action: str | None = None,
        principal: str | None = None,
        before: int | None = None,
        after: int | None = None,
    ) -> tuple[BrokerEntry, ...]:
        """The newest entries, newest first; with `after` the oldest that are newer than it, oldest first."""
        if action is not None and action not in ACTIONS:
            raise InvalidInput(
                f"{action[:40]!r} is no action", f"take one of {', '.join(ACTIONS)}", field="action"
            )
        limit = max(1, min(limit, _MOST))
        if after is not None:
            newer = LogQuery(limit, action, principal, after=after)
            return tuple(map(_entry, islice(filter(newer.takes, self._log.entries), limit)))
        found = self._log.find(LogQuery(limit, action, principal, before))
        if len(found) < limit and self._log.entries:
            first = self._log.entries[0].number
            oldest = first if before is None else min(before, first)
            rest = LogQuery(limit - len(found), action, principal, oldest)
            found += await asyncio.to_thread(self._store.read_log, rest)
        return tuple(map(_entry, found))

    def figures(self) -> BrokerFigures:
        """The broker's counters, and how many users and rules there are."""
        own = {"users": len(self._acl.users()), "rules": len(self._acl.rules())}
        return BrokerFigures(self._broker.numbers() | own)

    def _user(self, user: Principal) -> BrokerUser:
        connected = self._broker.connected()
        count = None if connected is None else connected[user.name]
        waits = self._elsewhere.needs_password(user.name)
        return BrokerUser(user.name, tuple(sorted(user.roles)), count, waits)

    async def _changed(
        self, kind: str, actor: str, why: str, name: str | None = None, password: str | None = None
    ) -> None:
        self._log.note_always(CHANGED, actor, detail=why)
        # It acts already, and who was shut out is out: whatever one disk says, the others are told.
        try:
            await self._records.put(kind, actor, why)
        finally:
            try:
                await self._acl.settle()
            finally:
                await self._elsewhere.tell(name, password)


def _as(user: Principal) -> str:
    return f"as {', '.join(sorted(user.roles))}" if user.roles else "with no role"


def _rule(rule: Rule) -> BrokerRule:
    return BrokerRule(rule.subject, rule.effect, rule.action, rule.topic_filter, rule.built_in)


def _asked(rule: BrokerRule) -> Rule:
    publish, subscribe = rule.action != "subscribe", rule.action != "publish"
    return Rule(rule.subject, rule.effect, publish, subscribe, rule.topic_filter)


def _entry(entry: Entry) -> BrokerEntry:
    told = entry._asdict()
    at = instant(told.pop("at_ms"))
    return BrokerEntry(at=at, **told)
