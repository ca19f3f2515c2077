"""Operators and roles, as whoever keeps them changes them. There is always an Admin who can sign in."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from doorward.app.names import LONGEST_SHORT, clean_name
from doorward.app.operators.accounts import Accounts, check_password
from doorward.app.operators.log import OperatorLog
from doorward.app.operators.sessions import Sessions
from doorward.app.operators.sign_in import SignIn
from doorward.app.ports import Passwords
from doorward.app.records import Account
from doorward.app.views.operators import Operator, RoleView
from doorward.domain import audit, permissions
from doorward.errors import Conflict, InvalidInput


class OperatorDesk:
    """Changes take effect at once: the sessions of whom they concern end."""

    def __init__(
        self,
        accounts: Accounts,
        sessions: Sessions,
        auth: SignIn,
        passwords: Passwords,
        log: OperatorLog,
    ) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._auth = auth
        self._passwords = passwords
        self._log = log
        self.on_removed: list[Callable[[str], None]] = []

    def list(self) -> tuple[Operator, ...]:
        """Everybody who may sign in, by name."""
        return tuple(self._view(account) for account in self._accounts.all())

    def roles(self) -> tuple[RoleView, ...]:
        """Every role with what it holds, Admin first."""
        return tuple(
            RoleView(name, tuple(sorted(held))) for name, held in self._accounts.roles().items()
        )

    async def add(self, username: str, password: str, role: str, *, actor: str) -> Operator:
        """Add an operator. Raises InvalidInput, NotFound for the role, Conflict."""
        name = clean_name(username, "username", LONGEST_SHORT)
        check_password(password)
        wanted = self._accounts.role(role)
        hashed = await self._passwords.hash(password)
        return self._view(await self._accounts.add(name, hashed, wanted, actor))

    async def set_password(self, username: str, password: str, *, actor: str) -> Operator:
        """Give an operator a new password; a second factor that they lost goes with the old one."""
        check_password(password)
        self._accounts.get(username)
        hashed = await self._passwords.hash(password)
        account = self._accounts.get(username)
        changed = replace(account, password=hashed, seed=None, step=0, recovery=(), locked=False)
        self._auth.unlock(username)
        return await self._change(changed, actor, "has a new password and no second factor")

    async def set_role(self, username: str, role: str, *, actor: str) -> Operator:
        """Give an operator another role."""
        account = self._accounts.get(username)
        wanted = self._accounts.role(role)
        if wanted != permissions.ADMIN:
            self._keep_an_admin(account)
        return await self._change(replace(account, role=wanted), actor, f"is {wanted} now")

    async def unlock(self, username: str, *, actor: str) -> Operator:
        """Let an operator try again at once."""
        account = self._accounts.get(username)
        self._auth.unlock(username)
        why = f"{account.username} may try to sign in again."
        row = self._log.row(audit.OPERATOR_UNLOCKED, actor, why)
        await self._accounts.change(replace(account, locked=False), row)
        return self._view(self._accounts.get(username))

    async def remove(self, username: str, *, actor: str) -> None:
        """Take an operator away, with their sessions and tokens."""
        account = self._accounts.get(username)
        self._keep_an_admin(account)
        why = f"{account.username} may no longer sign in."
        await self._accounts.remove(account, self._log.row(audit.OPERATOR_REMOVED, actor, why))
        await self._sessions.end_all(account.username)
        for removed in self.on_removed:
            removed(account.username)

    async def set_permissions(self, role: str, held: Iterable[str], *, actor: str) -> RoleView:
        """Say what a role holds. Raises InvalidInput for a permission that does not exist, Conflict for Admin."""
        name = self._accounts.role(role)
        wanted = frozenset(held)
        unknown = sorted(wanted - permissions.ALL)
        if unknown:
            known = ", ".join(sorted(permissions.ALL))
            raise InvalidInput(
                f"{unknown[0]!r} is no permission", f"known: {known}", field="permissions"
            )
        if name == permissions.ADMIN:
            raise Conflict("Admin holds every permission", "edit another role", field="role")
        told = ", ".join(sorted(wanted)) or "nothing"
        row = self._log.row(audit.ROLE_CHANGED, actor, f"{name} holds {told} now.")
        await self._accounts.put_role(name, wanted, row)
        return RoleView(name, tuple(sorted(wanted)))

    async def _change(self, account: Account, actor: str, what: str) -> Operator:
        row = self._log.row(audit.OPERATOR_CHANGED, actor, f"{account.username} {what}.")
        await self._accounts.change(account, row)
        await self._sessions.end_all(account.username)
        return self._view(account)

    def _keep_an_admin(self, account: Account) -> None:
        admins = [a for a in self._accounts.all() if a.role == permissions.ADMIN and a.password]
        if [a.username for a in admins] == [account.username]:
            raise Conflict(
                f"{account.username} is the only Admin",
                "make somebody else one first",
                field="username",
            )

    def _view(self, account: Account) -> Operator:
        return Operator(
            account.username,
            account.role,
            second_factor=account.seed is not None,
            locked=self._auth.is_locked(account.username),
        )
