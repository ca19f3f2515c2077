"""Signing in: the first operator by setup token, then by password, and by a second factor where there is one."""

import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import NamedTuple

from doorward.app.names import LONGEST_SHORT, clean_name
from doorward.app.operators import opaque
from doorward.app.operators.accounts import LONGEST_PASSWORD, Accounts, check_password, key
from doorward.app.operators.log import OperatorLog
from doorward.app.operators.sessions import Sessions
from doorward.app.ports import Clock, Passwords
from doorward.app.records import Account
from doorward.app.views.operators import Session
from doorward.backoff import Backoff, place_of
from doorward.domain import audit, permissions, second_factor
from doorward.domain.instants import instant
from doorward.errors import Conflict, NotSignedIn, SecondFactorNeeded

_BY_LINK = "demo"  # who comes by the one-time link; has no password
_WRONG = "the user name or the password is wrong"
_WRONG_CODE = "that code is wrong, or was used already"
_LOCK_AFTER = 20
_FREE_PER_ADDRESS = 10  # a whole school may sit behind one
_TICKET_S = 300.0
_TICKETS = 1024


@dataclass(frozen=True, slots=True)
class OneTimeTokens:
    """One-time tokens of this run, made at start: for the first operator, and for the demo's link."""

    setup: str | None = None
    enter: str | None = None


class _Ticket(NamedTuple):
    """A password was right; `password` is its hash: with another one the ticket is worth nothing."""

    username: str
    password: str
    until: float


class SignIn:
    """Signs people in and out. There is no default account."""

    def __init__(
        self,
        accounts: Accounts,
        sessions: Sessions,
        passwords: Passwords,
        log: OperatorLog,
        clock: Clock,
        tokens: OneTimeTokens,
    ) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._passwords = passwords
        self._log = log
        self._clock = clock
        self._tokens = tokens
        self._guesses = Backoff(clock, lock_after=_LOCK_AFTER, kept=None)
        self._strangers = Backoff(clock, lock_after=_LOCK_AFTER)  # names that nobody has
        self._addresses = Backoff(clock, free=_FREE_PER_ADDRESS)
        self._tickets: OrderedDict[str, _Ticket] = OrderedDict()
        self._dummy: str | None = None
        for account in accounts.all():
            if account.locked:
                self._guesses.lock(key(account.username))

    def needs_setup(self) -> bool:
        """True until the first operator exists."""
        return not self.has_operators() and self._tokens.setup is not None

    def has_operators(self) -> bool:
        """True if somebody has a password here; a demo has only its link."""
        return any(account.password for account in self._accounts.all())

    async def setup(
        self, token: str, username: str, password: str, address: str = "", agent: str = ""
    ) -> str:
        """Make the first operator; returns a session token."""
        if not self.needs_setup():
            raise Conflict("this gateway is set up already", "sign in instead")
        self._addresses.check("setup")
        if not _same(token.strip(), self._tokens.setup):
            self._addresses.failed("setup")
            raise NotSignedIn(
                "the setup token is wrong", "doorward prints it when it starts", field="token"
            )
        name = clean_name(username, "username", LONGEST_SHORT)
        check_password(password)
        hashed = await self._passwords.hash(password)
        if self.has_operators():
            raise Conflict("this gateway is set up already", "sign in instead")
        await self._accounts.add(name, hashed, permissions.ADMIN, name)
        return await self._begin(name, address, agent)

    async def login(self, username: str, password: str, address: str, agent: str = "") -> str:
        """Trade a password for a session token.

        Raises NotSignedIn, TooManyAttempts, or SecondFactorNeeded with the ticket that `answer` takes.
        """
        name = key(username)
        known = self._accounts.find(name)
        self._spend(name, address)
        # Somebody unknown costs as much time as somebody known.
        hashed = known.password if known and known.password else await self._anybody()
        fits = len(password) <= LONGEST_PASSWORD and await self._passwords.verify(hashed, password)
        # Looked at anew: it may have been changed while that password was tried.
        known = self._accounts.find(name)
        if not fits or known is None or known.password != hashed:
            await self._failed(known, address)
            raise NotSignedIn(_WRONG)
        if known.seed is not None:
            # The failures stay: who knows the password alone must not guess codes for ever.
            raise SecondFactorNeeded(ticket=self._ticket(known))
        return await self._succeeded(known, address, agent)

    async def answer(self, ticket: str, code: str, address: str, agent: str = "") -> str:
        """Trade the ticket of a login and a code of the second factor for a session token."""
        shown = self._tickets.get(ticket)
        if shown is None or shown.until < self._clock.monotonic():
            raise NotSignedIn("that took too long", "sign in again")
        known = self._accounts.find(shown.username)
        if known is None or known.password != shown.password:
            raise NotSignedIn("the password was changed meanwhile", "sign in again")
        self._spend(key(known.username), address)
        if not await self._use_code(known, code):
            await self._failed(known, address)
            raise NotSignedIn(_WRONG_CODE, field="code")
        self._tickets.pop(ticket, None)
        return await self._succeeded(known, address, agent)

    async def enter(self, one_time_token: str, address: str = "", agent: str = "") -> str:
        """Trade the demo's one-time link for a session token."""
        self._addresses.check("enter")
        if not _same(one_time_token, self._tokens.enter):
            self._addresses.failed("enter")
            raise NotSignedIn(
                "this link was used already, or was never valid", "restart the demo for a new one"
            )
        self._tokens = OneTimeTokens(self._tokens.setup, None)
        if self._accounts.find(_BY_LINK) is None:
            await self._accounts.add(_BY_LINK, "", permissions.ADMIN, _BY_LINK)
        return await self._begin(_BY_LINK, address, agent)

    def session(self, token: str, *, use: bool = True) -> Session | None:
        """The session behind a token, None when there is none or it is over. `use`: somebody is there."""
        known = self._sessions.find(token, use=use)
        account = self._accounts.find(known.username) if known else None
        if known is None or account is None:
            return None
        return Session(
            account.username,
            known.csrf,
            instant(known.expires_ms),
            account.role,
            self._accounts.permissions(account),
            # Who has nothing to prove it with came by a link to a demo.
            fresh=not account.password or self._sessions.is_fresh(token),
        )

    async def confirm(self, token: str, proof: str, address: str) -> None:
        """Show a password or a code again, within a session; what asks for a fresh login may follow."""
        session = self.session(token)
        known = self._accounts.find(session.username) if session else None
        if known is None:
            raise NotSignedIn("you are not signed in", "sign in at /login")
        self._spend(key(known.username), address)
        proved = len(proof) <= LONGEST_PASSWORD and await self._use_code(known, proof)
        await self._judge(known, proof, address, "proof", proved=proved)
        self._sessions.proved(token)

    async def check_password(self, username: str, password: str, address: str) -> None:
        """Show the present password, of which a session alone is no proof. A guess counts as at the sign-in."""
        known = self._accounts.get(username)
        self._spend(key(known.username), address)
        await self._judge(known, password, address, "old")

    async def logout(self, token: str) -> None:
        """End a session; an unknown one is over already."""
        ended = await self._sessions.end(token)
        if ended is not None:
            why = f"{ended.username} signed out."
            await self._log.write(audit.LOGOUT, ended.username, why)

    def is_locked(self, username: str) -> bool:
        """Whether so many sign-ins failed that nobody can be this operator for now."""
        return self._guesses.locked(key(username))

    def unlock(self, username: str) -> None:
        """Let this operator try again at once."""
        self._guesses.succeeded(key(username))

    async def _begin(self, username: str, address: str, agent: str) -> str:
        token = await self._sessions.begin(username, address, agent)
        why = f"{username} signed in."
        await self._log.write(audit.LOGIN, username, why, f"from {address}" if address else None)
        return token

    def _spend(self, name: str, address: str) -> None:
        """Count an attempt before the slow part, or many guesses at once would all be the first."""
        guesses = self._strangers if self._accounts.find(name) is None else self._guesses
        place = place_of(address)
        guesses.check(name)
        self._addresses.check(place)
        guesses.failed(name)
        self._addresses.failed(place)

    async def _judge(
        self, known: Account, password: str, address: str, field: str, *, proved: bool = False
    ) -> None:
        """End an attempt of somebody who is signed in; raises NotSignedIn. `proved`: by something else already."""
        fits = proved or (
            len(password) <= LONGEST_PASSWORD
            and await self._passwords.verify(known.password, password)
        )
        if not fits:
            await self._failed(known, address)
            raise NotSignedIn("that is not your password", "try again", field=field)
        self._guesses.succeeded(key(known.username))
        self._addresses.succeeded(place_of(address))

    async def _failed(self, known: Account | None, address: str) -> None:
        await self._log.failed(known.username if known else None, address)
        if known is not None and not known.locked and self.is_locked(known.username):
            why = f"{known.username} is locked for an hour: too many sign-ins failed."
            row = self._log.row(audit.LOGIN_LOCKED, known.username, why)
            await self._accounts.change(replace(known, locked=True), row)

    async def _succeeded(self, known: Account, address: str, agent: str) -> str:
        self._guesses.succeeded(key(known.username))
        self._addresses.succeeded(place_of(address))
        current = self._accounts.get(known.username)
        if current.locked:
            await self._accounts.change(replace(current, locked=False), None)
        return await self._begin(known.username, address, agent)

    async def _use_code(self, known: Account, code: str) -> bool:
        """Use up a code of the second factor, or a recovery code. Each works once."""
        current = self._accounts.get(known.username)
        if current.seed is None:
            return False
        step = second_factor.matching_step(current.seed, code, self._clock.now(), current.step)
        if step is not None:
            await self._accounts.change(replace(current, step=step), None)
            return True
        digest = second_factor.recovery_digest(code)
        if digest not in current.recovery:
            return False
        left = tuple(kept for kept in current.recovery if kept != digest)
        why = f"{current.username} used a recovery code; {len(left)} are left."
        row = self._log.row(audit.OPERATOR_CHANGED, current.username, why)
        await self._accounts.change(replace(current, recovery=left), row)
        return True

    def _ticket(self, known: Account) -> str:
        ticket = opaque.make()
        until = self._clock.monotonic() + _TICKET_S
        self._tickets[ticket] = _Ticket(known.username, known.password, until)
        if len(self._tickets) > _TICKETS:
            self._tickets.popitem(last=False)
        return ticket

    async def _anybody(self) -> str:
        if self._dummy is None:
            self._dummy = await self._passwords.hash(secrets.token_hex(16))
        return self._dummy


def _same(given: str, wanted: str | None) -> bool:
    return wanted is not None and hmac.compare_digest(
        given.encode(errors="surrogatepass"), wanted.encode()
    )
