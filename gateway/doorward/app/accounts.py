"""Operators and roles as they stand in memory: what every request asks, and what every change is written to first."""

from doorward.app.entries import milliseconds
from doorward.app.ports import Account, Clock, OperatorStore
from doorward.domain import permissions


class Accounts:
    """Who may sign in, and what they may do then."""

    def __init__(self, store: OperatorStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._accounts = {_key(account.username): account for account in store.operators()}
        self._roles = store.roles()

    def all(self) -> tuple[Account, ...]:
        """Every operator, by name."""
        return tuple(account for _, account in sorted(self._accounts.items()))

    def find(self, username: str) -> Account | None:
        """The operator of this name, in any case."""
        return self._accounts.get(_key(username))

    def permissions(self, account: Account) -> frozenset[str]:
        """What this operator may do right now."""
        if account.role == permissions.ADMIN:
            return permissions.ALL
        return self._roles.get(account.role, frozenset())

    async def add(self, username: str, password: str, role: str) -> Account:
        """Add an operator; `password` is a hash, or "" for somebody who has none."""
        account = Account(username, password, role)
        # At once: whoever asks during the write must find the name taken.
        self._accounts[_key(username)] = account
        try:
            await self._store.add_operator(account, milliseconds(self._clock.now()))
        except BaseException:
            del self._accounts[_key(username)]
            raise
        return account


def _key(username: str) -> str:
    return username.strip().casefold()
