"""The store port of operators on gateway.db."""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, TypeVar

import structlog
from sqlalchemy import Connection

from doorward.adapters.store import audit, operators
from doorward.adapters.store.vault import Vault
from doorward.app.records import Account, ApiToken, OpenSession
from doorward.database import Writer
from doorward.domain.audit import AuditRow
from doorward.errors import Unavailable

T = TypeVar("T")


class Look(Protocol):
    """Runs a read in a transaction of its own."""

    def __call__(self, read: Callable[[Connection], T]) -> T: ...


_log = structlog.get_logger(__name__)


class SqlAccounts:
    """`app.ports.OperatorStore`. A change and its audit row are one unit of the writer."""

    def __init__(self, look: Look, writer: Writer, vault: Vault) -> None:
        """Reads go through `look`, writes through the one writer."""
        self._look = look
        self._writer = writer
        self._vault = vault

    def operators(self) -> tuple[Account, ...]:
        return self._look(lambda c: operators.operators(c, self._vault))

    async def add_operator(self, account: Account, at_ms: int, row: AuditRow) -> AuditRow:
        _, stored = await self._change(
            row, lambda c: operators.add_operator(c, self._vault, account, at_ms)
        )
        return stored

    async def change_operator(self, account: Account, row: AuditRow | None) -> AuditRow | None:
        def change(connection: Connection) -> None:
            operators.change_operator(connection, self._vault, account)

        if row is None:
            await self._writer.run(change)
            return None
        return (await self._change(row, change))[1]

    async def remove_operator(self, username: str, row: AuditRow) -> AuditRow:
        return (await self._change(row, lambda c: operators.remove_operator(c, username)))[1]

    def roles(self) -> dict[str, frozenset[str]]:
        return self._look(operators.roles)

    async def put_role(self, name: str, held: frozenset[str], row: AuditRow) -> AuditRow:
        return (await self._change(row, lambda c: operators.put_role(c, name, held)))[1]

    def sessions(self) -> tuple[OpenSession, ...]:
        return self._look(operators.sessions)

    async def put_session(self, session: OpenSession) -> None:
        await self._writer.run(lambda c: operators.put_session(c, session))

    def touch_session(self, token: bytes, seen_ms: int) -> None:
        self._beside(lambda c: operators.touch_session(c, token, seen_ms))

    async def drop_session(self, token: bytes) -> None:
        await self._writer.run(lambda c: operators.drop_session(c, token))

    async def drop_sessions_before(self, at_ms: int) -> None:
        await self._writer.run(lambda c: operators.drop_sessions_before(c, at_ms))

    def api_tokens(self) -> tuple[ApiToken, ...]:
        return self._look(operators.api_tokens)

    async def add_token(self, token: ApiToken, row: AuditRow) -> tuple[ApiToken, AuditRow]:
        number, stored = await self._change(row, lambda c: operators.add_token(c, token))
        return replace(token, id=number), stored

    def touch_token(self, token_id: int, used_ms: int) -> None:
        self._beside(lambda c: operators.touch_token(c, token_id, used_ms))

    async def drop_token(self, token_id: int, row: AuditRow) -> AuditRow:
        return (await self._change(row, lambda c: operators.drop_token(c, token_id)))[1]

    async def _change(self, row: AuditRow, change: Callable[[Connection], T]) -> tuple[T, AuditRow]:
        def work(connection: Connection) -> tuple[T, AuditRow]:
            result = change(connection)
            return result, audit.append(connection, row) or row

        return await self._writer.run(work)

    def _beside(self, work: Callable[[Connection], None]) -> None:
        """Write something that nobody waits for."""
        try:
            self._writer.submit(work, _told)
        except Unavailable as error:
            _told(None, error)


def _told(_: object, error: Exception | None) -> None:
    if error is not None:
        _log.warning("store.not_kept", problem=str(error))
