"""Operators and roles as they stand in memory: what every request asks, and what follows every committed change."""

from doorward.app.operators.log import OperatorLog
from doorward.app.ports import Clock, OperatorStore
from doorward.app.records import Account
from doorward.domain import audit, permissions
from doorward.domain.audit import AuditRow
from doorward.domain.instants import milliseconds
from doorward.errors import Conflict, InvalidInput, NotFound

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 256  # argon2 reads all of it: no reason to let anybody send a novel


class Accounts:
    """Who may sign in, and what they may do then."""

    def __init__(self, store: OperatorStore, log: OperatorLog, clock: Clock) -> None:
        self._store = store
        self._log = log
        self._clock = clock
        self._accounts = {key(account.username): account for account in store.operators()}
        self._roles = store.roles()

    def all(self) -> tuple[Account, ...]:
        """Every operator, by name."""
        return tuple(account for _, account in sorted(self._accounts.items()))

    def find(self, username: str) -> Account | None:
        """The operator of this name, in any case."""
        return self._accounts.get(key(username))

    def get(self, username: str) -> Account:
        """The operator of this name; raises NotFound."""
        account = self.find(username)
        if account is None:
            raise NotFound(
                f"there is no operator {username}",
                "`doorward user list` shows them all",
                field="username",
            )
        return account

    def permissions(self, account: Account) -> frozenset[str]:
        """What this operator may do right now."""
        if account.role == permissions.ADMIN:
            return permissions.ALL
        return self._roles.get(account.role, frozenset()) & permissions.ALL

    def roles(self) -> dict[str, frozenset[str]]:
        """Every role and what it holds, Admin first."""
        names = sorted(self._roles, key=lambda name: (name != permissions.ADMIN, name.casefold()))
        return {name: self._roles[name] for name in names}

    def role(self, name: str) -> str:
        """The name of a role as it is kept; raises NotFound."""
        for known in self._roles:
            if known.casefold() == name.strip().casefold():
                return known
        raise NotFound(
            f"there is no role {name}", f"known: {', '.join(self.roles())}", field="role"
        )

    async def add(self, username: str, password: str, role: str, actor: str) -> Account:
        """Add an operator; `password` is a hash, or "" for somebody who has none."""
        if self.find(username) is not None:
            raise Conflict(
                f"there is an operator {username} already", "choose another name", field="username"
            )
        account = Account(username, password, role)
        row = self._log.row(audit.OPERATOR_ADDED, actor, f"{username} may sign in, as {role}.")
        # At once: whoever asks during the write must find the name taken.
        self._accounts[key(username)] = account
        try:
            at_ms = milliseconds(self._clock.now())
            self._log.announce(await self._store.add_operator(account, at_ms, row))
        except BaseException:
            del self._accounts[key(username)]
            raise
        return account

    async def change(self, account: Account, row: AuditRow | None) -> None:
        """Put an operator in the place of the one of that name."""
        before = self._accounts[key(account.username)]
        # At once: a code that is being used up is used up for whoever comes beside it.
        self._accounts[key(account.username)] = account
        try:
            self._log.announce(await self._store.change_operator(account, row))
        except BaseException:
            self._accounts[key(account.username)] = before
            raise

    async def remove(self, account: Account, row: AuditRow) -> None:
        """Forget an operator and their tokens."""
        self._log.announce(await self._store.remove_operator(account.username, row))
        self._accounts.pop(key(account.username), None)

    async def put_role(self, name: str, held: frozenset[str], row: AuditRow) -> None:
        """Let a role hold these permissions from now on."""
        self._log.announce(await self._store.put_role(name, held, row))
        self._roles[name] = held


def key(username: str) -> str:
    """What tells one user name from another."""
    return " ".join(username.split()).casefold()


def check_password(password: str) -> None:
    """Raise InvalidInput for a password that cannot be one."""
    if SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        return
    short = len(password) < SHORTEST_PASSWORD
    raise InvalidInput(
        f"that password is too {'short' if short else 'long'}",
        f"give {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters",
        field="password",
    )
