"""Operators, their sessions, and what each board was told, in gateway.db."""

from collections import defaultdict
from dataclasses import asdict

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.exc import IntegrityError

from doorward.adapters.store import tables as t
from doorward.app.ports import Account, DeviceCache, OpenSession
from doorward.errors import Conflict


def operators(connection: Connection) -> tuple[Account, ...]:
    """Who may sign in."""
    columns = t.operator.c
    rows = connection.execute(select(columns.username, columns.password, columns.role))
    return tuple(Account(*row) for row in rows)


def roles(connection: Connection) -> dict[str, frozenset[str]]:
    """The permissions of each role."""
    held: dict[str, set[str]] = defaultdict(set)
    for row in connection.execute(select(t.role_permission)):
        held[row.role].add(row.permission)
    names = connection.execute(select(t.role.c.name)).scalars()
    return {name: frozenset(held[name]) for name in names}


def add_operator(connection: Connection, account: Account, at_ms: int) -> None:
    """Add somebody who may sign in. Raises Conflict when the name is taken."""
    try:
        connection.execute(insert(t.operator).values(**asdict(account), added_ms=at_ms))
    except IntegrityError as error:
        raise Conflict(
            f"there is an operator {account.username} already", "choose another name"
        ) from error


def sessions(connection: Connection) -> tuple[OpenSession, ...]:
    """Every session that was not ended."""
    return tuple(OpenSession(*row) for row in connection.execute(select(t.session)))


def put_session(connection: Connection, session: OpenSession) -> None:
    """Remember a session."""
    connection.execute(insert(t.session).values(asdict(session)))


def drop_session(connection: Connection, token: bytes) -> None:
    """End a session."""
    connection.execute(delete(t.session).where(t.session.c.token == token))


def drop_sessions_before(connection: Connection, at_ms: int) -> None:
    """Forget what ran out before `at_ms`."""
    connection.execute(delete(t.session).where(t.session.c.expires_ms < at_ms))


def caches(connection: Connection) -> dict[str, DeviceCache]:
    """What each board was last told to hold."""
    rows = connection.execute(select(t.device_cache))
    return {row.device: DeviceCache(*row) for row in rows}


def put_cache(connection: Connection, cache: DeviceCache) -> None:
    """Remember what a board is told from now on."""
    values = asdict(cache)
    statement = upsert(t.device_cache).values(values)
    connection.execute(statement.on_conflict_do_update(index_elements=["device"], set_=values))
