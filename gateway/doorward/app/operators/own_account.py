"""What operators do with their own account: password, second factor, sessions. Each change begins a new session."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from doorward.app.operators.accounts import Accounts, check_password
from doorward.app.operators.log import OperatorLog
from doorward.app.operators.sessions import Sessions
from doorward.app.ports import Clock, Passwords
from doorward.app.records import Account
from doorward.app.views.operators import Enrolment, OwnAccount, OwnSession
from doorward.domain import audit, second_factor
from doorward.errors import Conflict, InvalidInput, NotSignedIn


class OwnAccounts:
    """One's own account. Callers see to it that the login is fresh."""

    def __init__(
        self,
        accounts: Accounts,
        sessions: Sessions,
        passwords: Passwords,
        log: OperatorLog,
        clock: Clock,
        prove: Callable[[str, str, str], Awaitable[None]],
    ) -> None:
        """`prove(username, password, address)` raises NotSignedIn or TooManyAttempts."""
        self._accounts = accounts
        self._sessions = sessions
        self._passwords = passwords
        self._log = log
        self._clock = clock
        self._prove = prove
        self._offered: dict[str, bytes] = {}

    def show(self, username: str) -> OwnAccount:
        """What there is to know about it."""
        account = self._accounts.get(username)
        return OwnAccount(
            account.username,
            account.role,
            has_password=bool(account.password),
            second_factor=account.seed is not None,
            recovery_codes=len(account.recovery),
        )

    def sessions(self, username: str, token: str) -> tuple[OwnSession, ...]:
        """Where one is signed in; `token` is of the session that asks."""
        return self._sessions.of(username, token)

    async def end_session(self, username: str, session_id: str) -> None:
        """End one of one's own sessions."""
        await self._sessions.end_one(username, session_id)
        await self._log.write(audit.LOGOUT, username, f"{username} ended a session.")

    async def change_password(
        self, username: str, old: str, new: str, address: str, agent: str
    ) -> str:
        """Take a new password; every session ends, and the token of a new one is returned."""
        account = self._accounts.get(username)
        if not account.password:
            raise NotSignedIn("that is not your password", "try again", field="old")
        await self._prove(username, old, address)
        check_password(new)
        hashed = await self._passwords.hash(new)
        current = self._accounts.get(username)
        return await self._changed(
            replace(current, password=hashed), "changed their password", address, agent
        )

    def offer_second_factor(self, username: str, site: str) -> Enrolment:
        """A seed to put into an app. It counts from its first code on; until then the same one is offered."""
        account = self._accounts.get(username)
        self._check_without(account)
        seed = self._offered.setdefault(account.username, second_factor.new_seed())
        return Enrolment(
            second_factor.address(seed, account.username, site), second_factor.spelled(seed)
        )

    async def take_second_factor(
        self, username: str, code: str, address: str, agent: str
    ) -> tuple[str, tuple[str, ...]]:
        """Confirm the offered seed by its first code; returns a new session's token and the recovery codes."""
        account = self._accounts.get(username)
        self._check_without(account)
        seed = self._offered.get(account.username)
        if seed is None:
            raise Conflict("no second factor was offered", "open the page again")
        step = second_factor.matching_step(seed, code, self._clock.now(), 0)
        if step is None:
            raise InvalidInput(
                "that code is wrong",
                "check the telephone’s clock, then type the next code",
                field="code",
            )
        codes = second_factor.new_recovery_codes()
        del self._offered[account.username]
        digests = tuple(second_factor.recovery_digest(code) for code in codes)
        changed = replace(account, seed=seed, step=step, recovery=digests)
        token = await self._changed(changed, "set up a second factor", address, agent)
        return token, codes

    async def drop_second_factor(self, username: str, address: str, agent: str) -> str:
        """Do without a second factor from now on; returns a new session's token."""
        account = self._accounts.get(username)
        changed = replace(account, seed=None, step=0, recovery=())
        return await self._changed(changed, "gave up the second factor", address, agent)

    async def _changed(self, account: Account, what: str, address: str, agent: str) -> str:
        name = account.username
        row = self._log.row(audit.OPERATOR_CHANGED, name, f"{name} {what}.")
        await self._accounts.change(account, row)
        await self._sessions.end_all(name)
        return await self._sessions.begin(name, address, agent)

    @staticmethod
    def _check_without(account: Account) -> None:
        if account.seed is not None:
            raise Conflict("there is a second factor already", "give it up first")
        if not account.password:
            raise Conflict(
                "without a password there is nothing to be second to", "set a password first"
            )
