"""broker.db: an encrypted file with one writer."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Select, select

from doorward.broker.log import ACTIONS, CHANGED, DENIED, REFUSED
from doorward.broker.ports import (
    Batch,
    Entry,
    Kept,
    KeptMessage,
    KeptRetained,
    KeptSession,
    LogQuery,
)
from doorward.broker.store import tables
from doorward.broker.store.mark import Marker
from doorward.broker.store.rows import Rows, Statement
from doorward.broker.store.salvage import apply_each
from doorward.database import Writer, open_database, upgrade
from doorward.errors import DoorwardError, Unavailable

_log = logging.getLogger(__name__)

_AT_HAND = 1000  # lines of the log that are read back
_LOG_KEPT = 50_000  # lines
# Of these so many more: whoever says a lot must not push out who was refused, nor who changed what.
_LOG_KEPT_OF = {DENIED: 20_000, REFUSED: 20_000, CHANGED: 20_000}

T = TypeVar("T")
Key = TypeVar("Key", bound=tuple[object, ...])


class BrokerStore:
    """Keeps batches in an encrypted SQLite file; the `Store` of the broker."""

    def __init__(self, engine: Engine, marker: Marker) -> None:
        """Use an engine whose schema is up to date."""
        self._engine = engine
        self._marker = marker
        self._writer = Writer(engine, name="broker-writer", watch=marker)
        self.left_out = 0
        self.lost = marker.lost

    @classmethod
    def open(cls, path: Path, key: bytes) -> "BrokerStore":
        """Open or create the file. Raises WrongKey, DatabaseDamaged or DatabaseTooNew."""
        engine = open_database(path, key)
        try:
            upgrade(engine, "doorward.broker.store")
            marker = Marker.open(engine, path)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine, marker)

    def load(self) -> Kept:
        """Read everything back, in one view."""
        with self._engine.connect() as connection:
            sessions: dict[str, KeptSession] = {}
            for client, owner in connection.execute(select(tables.sessions)):
                sessions[client] = KeptSession(owner, {})
            for client, topic_filter, qos in connection.execute(select(tables.subscriptions)):
                sessions[client].subscriptions[topic_filter] = qos
            principals = connection.execute(select(tables.principals))
            messages = connection.execute(select(tables.messages).order_by(tables.messages.c.row))
            received = connection.execute(select(tables.received))
            retained = connection.execute(select(tables.retained))
            users = connection.execute(select(tables.users))
            rules = connection.execute(select(tables.rules))
            log = connection.execute(_newest(_AT_HAND)).all()
            return Kept(
                principals={name: (role, digest) for name, role, digest in principals},
                sessions=sessions,
                messages=[KeptMessage(*row) for row in messages],
                received=[(client, packet_id) for client, packet_id in received],
                retained={topic: KeptRetained(*kept) for topic, *kept in retained},
                users={name: (roles, hashed) for name, roles, hashed in users},
                rules={(*key, text): (publish, read) for *key, text, publish, read in rules},
                log=[Entry(*row) for row in reversed(log)],
            )

    def read_log(self, query: LogQuery) -> list[Entry]:
        """Those entries, newest first. Blocks."""
        wanted = _newest(query.limit)
        column = tables.log.c
        for given, condition in (
            (query.action, column.action == query.action),
            (query.principal, column.principal == query.principal),
            (query.before, column.number < (query.before or 0)),
            (query.after, column.number > (query.after or 0)),
        ):
            if given is not None:
                wanted = wanted.where(condition)
        with self._engine.connect() as connection:
            return [Entry(*row) for row in connection.execute(wanted)]

    def start(self) -> None:
        """Start the writer; its answers arrive on this event loop."""
        self._writer.start()

    def write(self, batch: Batch, done: Callable[[Exception | None], None]) -> None:
        """Commit one batch in the writer's thread; without those of its changes that the file cannot hold."""

        def answered(_none: None, error: Exception | None) -> None:
            if error is None or isinstance(error, Unavailable):
                done(error)
            else:
                self._submit(
                    lambda connection: apply_each(connection, batch, self._apply), salvaged
                )

        def salvaged(left_out: list[str] | None, error: Exception | None) -> None:
            for told in left_out or ():
                _log.error("broker.db cannot hold one change, which is lost: %s", told)
            self.left_out += len(left_out or ())
            done(error)

        self._submit(lambda connection: self._apply(connection, batch), answered)

    def _apply(self, connection: Connection, batch: Batch) -> None:
        _apply(connection, batch)
        if batch.users or batch.rules:
            self._marker.changed(connection)

    def _submit(
        self,
        work: Callable[[Connection], T],
        done: Callable[[T | None, Exception | None], None],
    ) -> None:
        try:
            self._writer.submit(work, done)
        except DoorwardError as error:
            done(None, error)

    async def close(self) -> None:
        """Finish what was handed over, close the file."""
        await self._writer.close()
        self._engine.dispose()


def _apply(connection: Connection, batch: Batch) -> None:
    """Write a batch, in the order that `Batch` names."""
    # Straight to the driver: SQLAlchemy's way there takes longer than SQLite with a few rows.
    driver: Any = connection.connection.driver_connection
    _SESSIONS.take_out(driver, [(client,) for client in batch.ended])
    _SESSIONS.put(driver, batch.sessions.items())
    _change(
        driver,
        _SUBSCRIPTIONS,
        {key: None if qos is None else (qos,) for key, qos in batch.subscriptions.items()},
    )
    _MESSAGES.put(driver, batch.messages.values())
    _SENT.run(driver, batch.sent.items())
    _RELEASED.run(driver, [(row,) for row in batch.released])
    _MESSAGES.take_out(driver, [(row,) for row in batch.done])
    _change(driver, _RETAINED, {(topic,): kept for topic, kept in batch.retained.items()})
    _change(driver, _RECEIVED, {key: () if held else None for key, held in batch.received.items()})
    _change(driver, _PRINCIPALS, {(name,): known for name, known in batch.principals.items()})
    _change(driver, _USERS, {(name,): known for name, known in batch.users.items()})
    _change(driver, _RULES, batch.rules)
    if batch.log:
        _LOG.put(driver, batch.log)
        oldest = batch.log[-1].number - _LOG_KEPT
        for action in ACTIONS:
            if action in _LOG_KEPT_OF:
                driver.execute(_PRUNE_RARE, (action, oldest, action, _LOG_KEPT_OF[action]))
            else:
                driver.execute(_PRUNE_LOG, (action, oldest))


def _newest(limit: int) -> Select[Any]:
    return select(tables.log).order_by(tables.log.c.number.desc()).limit(limit)


def _change(driver: Any, table: Rows, changes: Mapping[Key, tuple[object, ...] | None]) -> None:
    """Put rows in, or take them out: primary key -> the other columns in their order, None to delete."""
    if changes:
        table.put(driver, [(*key, *rest) for key, rest in changes.items() if rest is not None])
        table.take_out(driver, [key for key, rest in changes.items() if rest is None])


_PRINCIPALS = Rows(tables.principals)
_SESSIONS = Rows(tables.sessions)
_SUBSCRIPTIONS = Rows(tables.subscriptions)
_MESSAGES = Rows(tables.messages)
_RECEIVED = Rows(tables.received)
_RETAINED = Rows(tables.retained)
_USERS = Rows(tables.users)
_RULES = Rows(tables.rules)
_LOG = Rows(tables.log)
_PRUNE_LOG = "DELETE FROM log WHERE action = ? AND number <= ?"
_PRUNE_RARE = (
    "DELETE FROM log WHERE action = ? AND number <= ? AND number <="
    " (SELECT number FROM log WHERE action = ? ORDER BY number DESC LIMIT 1 OFFSET ?)"
)
_SENT = Statement(
    "UPDATE message SET packet_id = now.column2 FROM (VALUES (?, ?)) AS now WHERE row = now.column1"
)
_RELEASED = Statement("UPDATE message SET released = TRUE WHERE (row) IN (VALUES (?))")
