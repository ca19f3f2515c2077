"""What a client may do, as roles and accounts of Mosquitto's dynamic-security plugin."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from doorward.adapters.mosquitto.accounts import CONTROL, PREFIX

Command = dict[str, Any]

_ALLOW, _DENY = 0, 10  # priorities: what is refused is asked first
_READ = ("subscribePattern", "publishClientReceive")
_WRITE = ("publishClientSend",)
_NO_PASSWORD = "doorward: has no password yet"  # noqa: S105 - says so


@dataclass(frozen=True, slots=True)
class Grant:
    """The topic filters of one client, whose name is its user name and its client id. Refusals count more.

    password: for who comes without a certificate; it is written when the account is made. several: it may come more
    than once, under any client id. proof: of a user alone, what its account says about the password that it has now; an
    account that says anything else gets a password that nobody knows, until one is given anew. A user stays connected
    when its rights change.
    """

    name: str
    publish: tuple[str, ...]
    subscribe: tuple[str, ...]
    deny_publish: tuple[str, ...] = ()
    deny_subscribe: tuple[str, ...] = ()
    password: str | None = field(default=None, repr=False)
    several: bool = False
    proof: str | None = None

    @property
    def role(self) -> str:
        """The role that is this client's alone."""
        return PREFIX + self.name

    def rules(self) -> list[Command]:
        """What the role says. Everything else is refused by default."""
        return [
            *_rules(_WRITE, self.deny_publish, allow=False),
            *_rules(_READ, self.deny_subscribe, allow=False),
            *_rules(_WRITE, self.publish, allow=True),
            *_rules(_READ, self.subscribe, allow=True),
        ]

    def account(self) -> Command:
        """The account, without its password."""
        bound = {} if self.several else {"clientid": self.name}
        roles = [{"rolename": self.role}]
        return {"username": self.name, **bound, "roles": roles, "groups": []}


def _rules(kinds: Iterable[str], filters: tuple[str, ...], *, allow: bool) -> list[Command]:
    priority = _ALLOW if allow else _DENY
    return [
        {"acltype": kind, "topic": one, "priority": priority, "allow": allow}
        for one in filters
        for kind in kinds
    ]


def difference(
    wanted: Mapping[str, Grant], accounts: Iterable[Command], roles: Iterable[Command]
) -> list[Command]:
    """The commands that make what is there into what is wanted; none where nothing differs.

    Roles and accounts that are not ours are left alone. What goes is named first, so that it is gone soonest.
    """
    there = {account["username"]: account for account in accounts}
    said = {role["rolename"]: role for role in roles}
    gone = [name for name in there if name not in wanted and is_ours(there[name])]
    ours = {grant.role for grant in wanted.values()} | {CONTROL}
    void = [name for name in said if name.startswith(PREFIX) and name not in ours]
    commands: list[Command] = [{"command": "deleteClient", "username": name} for name in gone]
    commands += [{"command": "deleteRole", "rolename": name} for name in void]
    for grant in wanted.values():
        role = _role(grant, said.get(grant.role))
        commands += role
        commands += _account(grant, there.get(grant.name), changed=bool(role))
    return commands


def farewell(name: str) -> tuple[Command, Command]:
    """The commands that take a client's account and its role, in the order that Mosquitto survives."""
    return (
        {"command": "deleteClient", "username": name},
        {"command": "deleteRole", "rolename": PREFIX + name},
    )


def _role(grant: Grant, known: Command | None) -> list[Command]:
    rules = grant.rules()
    if known is None:
        return [{"command": "createRole", "rolename": grant.role, "acls": rules}]
    if _comparable(known.get("acls", [])) == _comparable(rules):
        return []
    return [{"command": "modifyRole", "rolename": grant.role, "acls": rules}]


def _account(grant: Grant, known: Command | None, *, changed: bool) -> list[Command]:
    account = grant.account()
    if known is None:
        secret = {} if grant.password is None else {"password": grant.password}
        return [{"command": "createClient", **account, **secret, **_label(grant)}]
    same = (
        _roles_of(known) == [grant.role]
        and known.get("clientid") == account.get("clientid")
        and not known.get("groups")
    )
    commands = [] if same else [{"command": "modifyClient", **account}]
    commands += _password(grant, known)
    changed = changed and grant.proof is None
    if changed:
        # Whoever is connected comes back, and asks for what it may have now: a board waits for its approval so.
        commands.append({"command": "disableClient", "username": grant.name})
    if changed or known.get("disabled"):
        commands.append({"command": "enableClient", "username": grant.name})
    return commands


def _password(grant: Grant, known: Command) -> list[Command]:
    """What a user's account needs so that it has the password of now, or one that nobody knows, and says which."""
    if grant.proof is None:
        return []
    if grant.password is None and known.get("textname") in (grant.proof, _NO_PASSWORD):
        return []
    named = {"username": grant.name}
    password = grant.password or secrets.token_hex(32)
    # In this order: an account that was not told all of it says something else than it should.
    return [
        {"command": "setClientPassword", **named, "password": password},
        {"command": "modifyClient", **named, **_label(grant)},
    ]


def _label(grant: Grant) -> Command:
    if grant.proof is None:
        return {}
    return {"textname": _NO_PASSWORD if grant.password is None else grant.proof}


def is_proven(grant: Grant, known: Command | None) -> bool:
    """Whether nobody has to be given a password: who is no user, and whose account has the password of now."""
    return grant.proof is None or (known is not None and known.get("textname") == grant.proof)


def is_ours(account: Command) -> bool:
    """Whether an account is one that we made; others' are not ours to change."""
    roles = _roles_of(account)
    return account["username"] != CONTROL and any(role.startswith(PREFIX) for role in roles)


def _roles_of(account: Command) -> list[str]:
    return [role["rolename"] for role in account.get("roles", [])]


def _comparable(rules: Iterable[Command]) -> set[tuple[str, str, int, bool]]:
    return {
        (rule["acltype"], rule["topic"], rule.get("priority", _ALLOW), rule["allow"])
        for rule in rules
    }
