"""Users and rules as they stand, and as they are changed: in memory at once, on disk when `settle` returns.

It needs no running broker: where another broker does the work, the same users and rules are compiled to it.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import NamedTuple

from doorward.broker.identity.principals import Principal, Principals, Role
from doorward.broker.keeping.journal import Journal
from doorward.broker.ports import Kept
from doorward.broker.rights import shipped
from doorward.broker.rights.filters import overlaps
from doorward.broker.rights.policy import Policy
from doorward.broker.rights.rules import ROLE, USER, Action, Effect, Rule, checked, is_name
from doorward.errors import Conflict, InvalidInput, NotFound
from doorward_core import topic_tree

_log = logging.getLogger(__name__)

_MOST_USERS = 10_000
_MOST_RULES = 2_000
_LIST_USERS = "`doorward broker users list` shows them all"


class Explained(NamedTuple):
    """Whether a client may do something, the rule that decides, and why in one sentence."""

    principal: Principal
    allowed: bool
    rule: Rule | None  # as it was written, names not filled in; None where nothing allows it
    why: str


class Acl:
    """Who comes with a password, and the rules for everybody.

    `changed` is called after every change of rules or roles, `principals.changed` when somebody has to go.
    """

    def __init__(self, principals: Principals, policy: Policy, journal: Journal) -> None:
        """Change these two, and keep in this journal what outlives the process."""
        self._principals = principals
        self._policy = policy
        self._journal = journal
        self._rules: dict[tuple[str, str, str], Rule] = {}
        self.changed: list[Callable[[], None]] = []

    def restore(self, kept: Kept) -> None:
        """Take back what the store remembers. A user whose name is a board's by now stays outside."""
        for name, (roles, hashed) in kept.users.items():
            try:
                self._principals.put_user(name, frozenset(roles.split()), hashed)
            except ValueError as error:
                _log.warning("a user stays outside: %s", error)
        for (subject, effect, text), (publish, subscribe) in kept.rules.items():
            said: Effect = "deny" if effect == "deny" else "allow"
            rule = Rule(subject, said, publish, subscribe, text)
            self._rules[rule.key] = rule
        self._policy.use(self._rules.values())

    async def settle(self) -> None:
        """Return when every change is on disk. Raises what the store says against it; the next call tries again."""
        self._journal.retry()
        error = await self._journal.drain()
        if error is not None:
            raise error

    # --- users ------------------------------------------------------------------------------------

    def users(self) -> tuple[Principal, ...]:
        """Everybody with a password, by name."""
        everybody = (self._principals.get(name) for name in self._principals.names())
        return tuple(one for one in everybody if one is not None and one.role is Role.USER)

    def roles(self) -> tuple[str, ...]:
        """The roles that ship, and those that a rule or a user names."""
        named = {rule.subject.removeprefix(ROLE) for rule in self.rules() if _is_role(rule)}
        named |= {role for user in self.users() for role in user.roles}
        return (*shipped.ROLES, *sorted(named - set(shipped.ROLES)))

    def check_new(self, name: str, roles: Iterable[str]) -> frozenset[str]:
        """The roles of a user to be, as they are written. Raises InvalidInput, NotFound or Conflict."""
        if not is_name(name):
            raise InvalidInput(
                f"{name[:80]!r} cannot be a user name",
                "take 1 to 64 of A-Z a-z 0-9 _ . @ -",
                field="name",
            )
        folded = name.casefold()
        taken = next((one for one in self._principals.names() if one.casefold() == folded), None)
        if taken is not None:
            known = self._principals.get(taken)
            raise Conflict(
                f"{taken} is the name of a {known.role.value if known else 'client'} already",
                "choose another",
                field="name",
            )
        if len(self.users()) >= _MOST_USERS:
            raise Conflict(f"there are {_MOST_USERS} users already", "remove one first")
        return self._written(roles)

    def add_user(self, name: str, hashed: str, roles: Iterable[str]) -> Principal:
        """Let somebody in with the password behind `hashed`. Raises as `check_new` does."""
        made = self._principals.put_user(name, self.check_new(name, roles), hashed)
        # A session that somebody else keeps under this client id is not theirs to have.
        self._principals.changed(made, b"", keep=False)
        self._keep(made)
        return made

    def set_password(self, name: str, hashed: str) -> Principal:
        """Give a user another password: what is connected with the old one is closed. Raises NotFound."""
        user = self.get_user(name)
        self._principals.put_user(name, user.roles, hashed)
        self._principals.changed(user, b"", keep=False)
        self._keep(user)
        return user

    def disconnect(self, name: str) -> None:
        """Close what is connected as this user; it may come back. Raises NotFound."""
        self._principals.changed(self.get_user(name), b"", keep=False)

    def set_roles(self, name: str, roles: Iterable[str]) -> Principal:
        """Let a user follow the rules of these roles. Raises NotFound."""
        self.get_user(name)
        hashed = self._principals.hash_of(name) or ""
        made = self._principals.put_user(name, self._written(roles), hashed)
        self._keep(made)
        self._tell()
        return made

    def remove_user(self, name: str) -> Principal:
        """Shut a user out, with the rules that were for nobody else. Raises NotFound."""
        user = self.get_user(name)
        self._principals.remove(name)
        self._journal.user(name, None)
        for rule in [rule for rule in self._rules.values() if rule.subject == USER + name]:
            self._put(rule, None)
        self._tell()
        return user

    def get_user(self, name: str) -> Principal:
        """The user of that name. Raises NotFound."""
        user = self._principals.get(name)
        if user is None or user.role is not Role.USER:
            raise NotFound(f"the broker has no user {name[:80]}", _LIST_USERS, field="name")
        return user

    def _keep(self, user: Principal) -> None:
        hashed = self._principals.hash_of(user.name) or ""
        self._journal.user(user.name, (" ".join(sorted(user.roles)), hashed))
        self._journal.flush()

    def _written(self, roles: Iterable[str]) -> frozenset[str]:
        return frozenset(self._role(role) for role in roles)

    def _role(self, name: str, *, new: bool = False) -> str:
        for known in self.roles():
            if known.casefold() == name.casefold():
                return known
        if new:
            return name
        raise NotFound(
            f"there is no role {name[:80]}",
            f"known: {', '.join(self.roles())}; a rule for another makes it",
            field="roles",
        )

    # --- rules ------------------------------------------------------------------------------------

    def rules(self) -> tuple[Rule, ...]:
        """The rules that can be revoked, by subject."""
        return tuple(sorted(self._rules.values(), key=lambda rule: rule.key))

    def grant(self, rule: Rule) -> tuple[Rule, tuple[str, ...]]:
        """Add a rule, or widen the one for the same: (as it stands, warnings). Raises InvalidInput or NotFound."""
        rule, warnings = self._named(checked(rule))
        before = self._rules.get(rule.key)
        if before is None and len(self._rules) >= _MOST_RULES:
            raise Conflict(f"there are {_MOST_RULES} rules already", "revoke some first")
        if before is not None:
            rule = replace(
                rule,
                publish=rule.publish or before.publish,
                subscribe=rule.subscribe or before.subscribe,
            )
        self._put(rule, rule)
        self._tell()
        return rule, (*warnings, *self._reserved(rule))

    def revoke(self, rule: Rule) -> Rule:
        """Take back what a rule says about these actions; returns what is gone. Raises NotFound."""
        named, _ = self._named(rule, strict=False)
        before = self._rules.get(named.key)
        gone = before and replace(
            before,
            publish=before.publish and rule.publish,
            subscribe=before.subscribe and rule.subscribe,
        )
        if before is None or gone is None or not (gone.publish or gone.subscribe):
            raise NotFound(
                f"there is no rule `{rule}`",
                "`doorward broker acl list` shows those that can be revoked",
                field="filter",
            )
        left = replace(
            before,
            publish=before.publish and not gone.publish,
            subscribe=before.subscribe and not gone.subscribe,
        )
        self._put(before, left if left.publish or left.subscribe else None)
        self._tell()
        return gone

    def explain(
        self, name: str, action: Action, topic: str, client: str | None = None
    ) -> Explained:
        """Whether somebody may do that, and by which rule. Raises NotFound or InvalidInput."""
        principal = self._principals.get(name)
        if principal is None:
            raise NotFound(
                f"the broker knows nobody called {name[:80]}", _LIST_USERS, field="principal"
            )
        valid = topic_tree.valid_topic if action == "publish" else topic_tree.valid_filter
        if not valid(topic):
            what = "topic to publish to" if action == "publish" else "topic filter"
            raise InvalidInput(f"{topic[:80]!r} is no {what}", field="topic")
        allowed, rule = self._policy.explain(principal, action, topic, client)
        return Explained(principal, allowed, rule, _why(allowed, rule, action))

    def _put(self, rule: Rule, new: Rule | None) -> None:
        if new is None:
            del self._rules[rule.key]
        else:
            self._rules[rule.key] = new
        self._journal.rule(rule.key, None if new is None else (new.publish, new.subscribe))

    def _tell(self) -> None:
        self._policy.use(self._rules.values())
        for tell in self.changed:
            tell()
        self._journal.flush()

    def _named(self, rule: Rule, *, strict: bool = True) -> tuple[Rule, tuple[str, ...]]:
        """The rule with its subject as it is written elsewhere. Raises NotFound for a user there is none of."""
        if not _is_role(rule):
            if strict:
                self.get_user(rule.subject.removeprefix(USER))
            return rule, ()
        asked = rule.subject.removeprefix(ROLE)
        role = self._role(asked, new=True)
        known = any(role == one for one in self.roles())
        warnings = () if known else (f"the role {role} is new: nobody has it yet",)
        return replace(rule, subject=ROLE + role), warnings

    def _reserved(self, rule: Rule) -> tuple[str, ...]:
        if rule.effect == "deny":
            return ()
        trees = [
            tree
            for tree in shipped.reserved(self._policy.base)
            if overlaps(tree, rule.topic_filter)
        ]
        if not trees:
            return ()
        return (
            f"{rule.topic_filter} reaches {', '.join(trees)}, which boards or the broker itself use",
        )


def _is_role(rule: Rule) -> bool:
    return rule.subject.startswith(ROLE)


def _why(allowed: bool, rule: Rule | None, action: Action) -> str:
    if rule is None:
        return f"No rule lets it {action} there."
    if allowed:
        return f"Allowed by `{rule}`."
    return f"Forbidden by `{rule}`: a deny beats every allow."
