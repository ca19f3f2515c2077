"""Operators, their sessions, and what each board was told, in gateway.db."""

from dataclasses import asdict

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert

from doorward.adapters.store import tables as t
from doorward.app.ports import DeviceCache, OpenSession


def operators(connection: Connection) -> dict[str, str]:
    """Password hashes by user name."""
    rows = connection.execute(select(t.operator.c.username, t.operator.c.password))
    return {row.username: row.password for row in rows}


def add_operator(connection: Connection, username: str, password: str, at_ms: int) -> None:
    """Add somebody who may sign in."""
    values = {"username": username, "password": password, "added_ms": at_ms}
    connection.execute(insert(t.operator).values(values))


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
