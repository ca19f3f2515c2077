"""Operators: the first one by setup token, then by password; opaque sessions, of which the store knows the hash."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta

from doorward.app.accounts import Accounts
from doorward.app.backoff import Backoff
from doorward.app.entries import instant, milliseconds
from doorward.app.ports import Clock, OpenSession, OperatorStore, Passwords
from doorward.app.views import Session
from doorward.domain import permissions
from doorward.errors import Conflict, InvalidInput, NotSignedIn

_LIFETIME = timedelta(days=7)
_SHORTEST_PASSWORD = 10
_LONGEST_PASSWORD = 256  # argon2 reads all of it: no reason to let anybody send a novel
_LONGEST_NAME = 64
_BY_LINK = "demo"  # who comes by the one-time link; has no password
_WRONG = "the user name or the password is wrong"


@dataclass(frozen=True, slots=True)
class Tokens:
    """One-time tokens of this run, made at start: for the first operator, and for the demo's link."""

    setup: str | None = None
    enter: str | None = None


class Operators:
    """Signs people in and out. There is no default account."""

    def __init__(
        self, store: OperatorStore, passwords: Passwords, clock: Clock, tokens: Tokens
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._clock = clock
        self._tokens = tokens
        self._accounts = Accounts(store, clock)
        self._sessions = {session.token: session for session in store.sessions()}
        self._backoff = Backoff(clock)
        self._dummy: str | None = None

    def needs_setup(self) -> bool:
        """True until the first operator exists."""
        return not self.has_operators() and self._tokens.setup is not None

    def has_operators(self) -> bool:
        """True if somebody has a password here; a demo has only its link."""
        return any(account.password for account in self._accounts.all())

    async def setup(self, token: str, username: str, password: str) -> str:
        """Make the first operator; returns a session token."""
        if not self.needs_setup():
            raise Conflict("this gateway is set up already", "sign in instead")
        self._backoff.check("setup")
        if not _same(token.strip(), self._tokens.setup):
            self._backoff.failed("setup")
            raise NotSignedIn(
                "the setup token is wrong", "doorward prints it when it starts", field="token"
            )
        name = _checked(username, password)
        hashed = await self._passwords.hash(password)
        if self.has_operators():
            raise Conflict("this gateway is set up already", "sign in instead")
        await self._accounts.add(name, hashed, permissions.ADMIN)
        return await self._begin(name)

    async def login(self, username: str, password: str, address: str) -> str:
        """Trade a password for a session token. Raises NotSignedIn or TooManyAttempts."""
        name = username.strip()
        keys = (f"address {address}", f"user {name.casefold()}")
        self._backoff.check(*keys)
        # Before the slow part, or many guesses at once would all be the first.
        self._backoff.failed(*keys)
        if len(password) > _LONGEST_PASSWORD:
            raise NotSignedIn(_WRONG)
        known = self._accounts.find(name)
        # Somebody unknown costs as much time as somebody known.
        hashed = known.password if known and known.password else await self._anybody()
        if not await self._passwords.verify(hashed, password) or known is None:
            raise NotSignedIn(_WRONG)
        self._backoff.succeeded(*keys)
        return await self._begin(known.username)

    async def enter(self, one_time_token: str) -> str:
        """Trade the demo's one-time link for a session token."""
        self._backoff.check("enter")
        if not _same(one_time_token, self._tokens.enter):
            self._backoff.failed("enter")
            raise NotSignedIn(
                "this link was used already, or was never valid", "restart the demo for a new one"
            )
        self._tokens = Tokens(self._tokens.setup, None)
        if self._accounts.find(_BY_LINK) is None:
            await self._accounts.add(_BY_LINK, "", permissions.ADMIN)
        return await self._begin(_BY_LINK)

    def session(self, token: str) -> Session | None:
        """The session behind a token, None when there is none or it is over."""
        known = self._sessions.get(_hashed(token))
        if known is None or known.expires_ms <= milliseconds(self._clock.now()):
            return None
        account = self._accounts.find(known.username)
        if account is None:
            return None
        allowed = self._accounts.permissions(account)
        expires_at = instant(known.expires_ms)
        return Session(account.username, known.csrf, expires_at, account.role, allowed)

    async def logout(self, token: str) -> None:
        """End a session; an unknown one is over already."""
        hashed = _hashed(token)
        if self._sessions.pop(hashed, None) is not None:
            await self._store.drop_session(hashed)

    async def _begin(self, username: str) -> str:
        token = secrets.token_urlsafe(32)
        now = self._clock.now()
        expires_ms = milliseconds(now + _LIFETIME)
        session = OpenSession(_hashed(token), username, secrets.token_urlsafe(24), expires_ms)
        await self._store.drop_sessions_before(milliseconds(now))
        await self._store.put_session(session)
        self._sessions = {
            hashed: known
            for hashed, known in self._sessions.items()
            if known.expires_ms > milliseconds(now)
        }
        self._sessions[session.token] = session
        return token

    async def _anybody(self) -> str:
        if self._dummy is None:
            self._dummy = await self._passwords.hash(secrets.token_hex(16))
        return self._dummy


def _hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _same(given: str, wanted: str | None) -> bool:
    return wanted is not None and hmac.compare_digest(given.encode(), wanted.encode())


def _checked(username: str, password: str) -> str:
    name = username.strip()
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise InvalidInput(
            "that is no user name", f"give 1 to {_LONGEST_NAME} characters", field="username"
        )
    if not _SHORTEST_PASSWORD <= len(password) <= _LONGEST_PASSWORD:
        raise InvalidInput(
            "that password is too short"
            if len(password) < _SHORTEST_PASSWORD
            else "that password is too long",
            f"give {_SHORTEST_PASSWORD} to {_LONGEST_PASSWORD} characters",
            field="password",
        )
    return name
