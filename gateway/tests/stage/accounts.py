"""Operators in memory, and everything that is done about them wired on top."""

from collections.abc import Iterable
from dataclasses import replace

from doorward.app.operators.sign_in import OneTimeTokens
from doorward.app.records import Account, ApiToken, OpenSession
from doorward.domain import permissions
from doorward.domain.audit import AuditRow
from doorward.domain.snapshot import Rules
from doorward.runtime.operators import wire_operators
from stage.clock import FakeClock
from stage.store import MemoryStore


class PlainPasswords:
    """Counts how often it was asked: work must not depend on whether somebody exists."""

    def __init__(self) -> None:
        self.verified = 0

    async def hash(self, password: str) -> str:
        return "hashed " + password

    async def verify(self, hashed: str, password: str) -> bool:
        self.verified += 1
        return hashed == "hashed " + password


class MemoryAccounts:
    """The store port of operators; its audit rows go to `audit`."""

    def __init__(self, audit: MemoryStore) -> None:
        self.audit = audit
        self.users: dict[str, Account] = {}
        self.kept_roles = dict(permissions.SHIPPED)
        self.open: dict[bytes, OpenSession] = {}
        self.kept_tokens: dict[int, ApiToken] = {}

    def operators(self) -> tuple[Account, ...]:
        return tuple(self.users.values())

    async def add_operator(self, account: Account, at_ms: int, row: AuditRow) -> AuditRow:
        self.users[account.username] = account
        return await self.audit.append(row)

    async def change_operator(self, account: Account, row: AuditRow | None) -> AuditRow | None:
        self.users[account.username] = account
        return None if row is None else await self.audit.append(row)

    async def remove_operator(self, username: str, row: AuditRow) -> AuditRow:
        del self.users[username]
        return await self.audit.append(row)

    def roles(self) -> dict[str, frozenset[str]]:
        return dict(self.kept_roles)

    async def put_role(self, name: str, held: frozenset[str], row: AuditRow) -> AuditRow:
        self.kept_roles[name] = held
        return await self.audit.append(row)

    def sessions(self) -> tuple[OpenSession, ...]:
        return tuple(self.open.values())

    async def put_session(self, session: OpenSession) -> None:
        self.open[session.token] = session

    def touch_session(self, token: bytes, seen_ms: int) -> None:
        self.open[token] = replace(self.open[token], seen_ms=seen_ms)

    async def drop_session(self, token: bytes) -> None:
        self.open.pop(token, None)

    async def drop_sessions_before(self, at_ms: int) -> None:
        self.open = {t: s for t, s in self.open.items() if s.expires_ms >= at_ms}

    def api_tokens(self) -> tuple[ApiToken, ...]:
        return tuple(self.kept_tokens.values())

    async def add_token(self, token: ApiToken, row: AuditRow) -> tuple[ApiToken, AuditRow]:
        kept = replace(token, id=len(self.kept_tokens) + 1)
        self.kept_tokens[kept.id] = kept
        return kept, await self.audit.append(row)

    def touch_token(self, token_id: int, used_ms: int) -> None:
        self.kept_tokens[token_id].used_ms = used_ms

    async def drop_token(self, token_id: int, row: AuditRow) -> AuditRow:
        del self.kept_tokens[token_id]
        return await self.audit.append(row)


class Desk:
    """Signing in and everything around it, on a clock that the test moves."""

    def __init__(self, tokens: OneTimeTokens | None = None) -> None:
        self.rows = MemoryStore(Rules())
        self.store = MemoryAccounts(self.rows)
        self.clock = FakeClock()
        self.passwords = PlainPasswords()
        self.told: list[AuditRow] = []
        self.start_tokens = tokens or OneTimeTokens(setup="setup-token")
        self.restart()

    def restart(self) -> None:
        self.cases = wire_operators(
            self.store, self.rows, self.passwords, self.clock, self._tell, self.start_tokens
        )
        self.auth = self.cases.auth
        self.account = self.cases.account
        self.operators = self.cases.operators
        self.tokens = self.cases.tokens

    def _tell(self, rows: Iterable[AuditRow]) -> None:
        self.told.extend(rows)

    def kinds(self) -> list[str]:
        return [row.kind for row in self.rows.rows]
