"""Operators, roles, sessions and tokens as rows of gateway.db."""

import secrets
from collections import defaultdict
from dataclasses import asdict
from typing import Any

import structlog
from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from doorward.adapters.store import tables as t
from doorward.adapters.store.vault import Vault
from doorward.app.records import Account, ApiToken, OpenSession
from doorward.domain.second_factor import SEED_BYTES
from doorward.errors import Conflict, DatabaseDamaged, NotFound

_log = structlog.get_logger(__name__)

_DIGEST_BYTES = 32


def operators(connection: Connection, vault: Vault) -> tuple[Account, ...]:
    """Who may sign in."""
    return tuple(
        Account(
            row.username,
            row.password,
            row.role,
            row.locked,
            _seed(row.seed, vault, row.id),
            row.step,
            _split(row.recovery),
        )
        for row in connection.execute(select(t.operator))
    )


def add_operator(connection: Connection, vault: Vault, account: Account, at_ms: int) -> None:
    """Add somebody who may sign in. Raises Conflict when the name is taken."""
    empty = {"seed": None, "recovery": b"", "step": 0, "locked": False}
    first = {"password": account.password, "role": account.role, "added_ms": at_ms, **empty}
    try:
        connection.execute(insert(t.operator).values(username=account.username, **first))
    except IntegrityError as error:
        raise Conflict(
            f"there is an operator {account.username} already", "choose another name"
        ) from error
    change_operator(connection, vault, account)


def change_operator(connection: Connection, vault: Vault, account: Account) -> None:
    """Write all of an account."""
    row = operator_id(connection, account.username)
    values: dict[str, Any] = asdict(account) | {"recovery": b"".join(account.recovery)}
    if account.seed is not None:
        values["seed"] = vault.seal(account.seed, "operator", row, "seed")
    connection.execute(update(t.operator).where(t.operator.c.id == row).values(values))


def remove_operator(connection: Connection, username: str) -> None:
    """Forget somebody, their sessions and their tokens."""
    row = operator_id(connection, username)
    connection.execute(delete(t.api_token).where(t.api_token.c.operator_id == row))
    connection.execute(delete(t.session).where(t.session.c.username == username))
    connection.execute(delete(t.operator).where(t.operator.c.id == row))


def operator_id(connection: Connection, username: str) -> int:
    """The row of an operator; raises NotFound."""
    wanted = select(t.operator.c.id).where(t.operator.c.username == username)
    found: int | None = connection.execute(wanted).scalar()
    if found is None:
        raise NotFound(f"there is no operator {username}", "`doorward user list` shows them all")
    return found


def roles(connection: Connection) -> dict[str, frozenset[str]]:
    """The permissions of each role."""
    held: dict[str, set[str]] = defaultdict(set)
    for row in connection.execute(select(t.role_permission)):
        held[row.role].add(row.permission)
    names = connection.execute(select(t.role.c.name)).scalars()
    return {name: frozenset(held[name]) for name in names}


def put_role(connection: Connection, name: str, held: frozenset[str]) -> None:
    """Replace what a role holds."""
    connection.execute(delete(t.role_permission).where(t.role_permission.c.role == name))
    for permission in sorted(held):
        connection.execute(insert(t.role_permission).values(role=name, permission=permission))


def sessions(connection: Connection) -> tuple[OpenSession, ...]:
    """Every session that was not ended."""
    return tuple(OpenSession(*row) for row in connection.execute(select(t.session)))


def put_session(connection: Connection, session: OpenSession) -> None:
    """Remember a session."""
    connection.execute(insert(t.session).values(asdict(session)))


def touch_session(connection: Connection, token: bytes, seen_ms: int) -> None:
    """A session was used."""
    connection.execute(update(t.session).where(t.session.c.token == token).values(seen_ms=seen_ms))


def drop_session(connection: Connection, token: bytes) -> None:
    """End a session."""
    connection.execute(delete(t.session).where(t.session.c.token == token))


def drop_sessions_before(connection: Connection, at_ms: int) -> None:
    """Forget what ran out before `at_ms`."""
    connection.execute(delete(t.session).where(t.session.c.expires_ms < at_ms))


def api_tokens(connection: Connection) -> tuple[ApiToken, ...]:
    """Every token that was not revoked."""
    owners = t.api_token.join(t.operator)
    query = select(t.api_token, t.operator.c.username).select_from(owners)
    return tuple(
        ApiToken(
            id=row.id,
            digest=row.digest,
            prefix=row.prefix,
            owner=row.username,
            name=row.name,
            scopes=frozenset(row.scopes.split()),
            unattended=row.unattended,
            added_ms=row.added_ms,
            expires_ms=row.expires_ms,
            used_ms=row.used_ms,
        )
        for row in connection.execute(query)
    )


def add_token(connection: Connection, token: ApiToken) -> int:
    """Remember a token; returns its id."""
    values = asdict(token)
    values["operator_id"] = operator_id(connection, values.pop("owner"))
    values["scopes"] = " ".join(sorted(token.scopes))
    del values["id"]
    key = connection.execute(insert(t.api_token).values(values)).inserted_primary_key
    return int(key[0]) if key else 0


def touch_token(connection: Connection, token_id: int, used_ms: int) -> None:
    """A token was used."""
    connection.execute(
        update(t.api_token).where(t.api_token.c.id == token_id).values(used_ms=used_ms)
    )


def drop_token(connection: Connection, token_id: int) -> None:
    """Forget a token."""
    connection.execute(delete(t.api_token).where(t.api_token.c.id == token_id))


def _seed(sealed: bytes | None, vault: Vault, row: int) -> bytes | None:
    """The seed of a second factor. In place of one that was not sealed for this row stands one that fits no code."""
    if sealed is None:
        return None
    try:
        return vault.open(sealed, "operator", row, "seed")
    except DatabaseDamaged as error:
        _log.error("store.seed_refused", problem=error.message)
        return secrets.token_bytes(SEED_BYTES)


def _split(digests: bytes) -> tuple[bytes, ...]:
    return tuple(
        digests[start : start + _DIGEST_BYTES] for start in range(0, len(digests), _DIGEST_BYTES)
    )
