"""broker.db: an encrypted file with one writer."""

import logging
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from doorward.broker.ports import (
    Batch,
    Entry,
    Kept,
    KeptMessage,
    KeptRetained,
    KeptSession,
    LogQuery,
)
from doorward.broker.reports.log import ACTIONS, CHANGED, DENIED, REFUSED
from doorward.broker.store import tables
from doorward.broker.store.mark import Marker
from doorward.broker.store.rows import Rows, Statement
from doorward.broker.store.salvage import apply_each
from doorward.errors import DoorwardError, Unavailable
from doorward.sqlite import DriverTransaction, GroupWriter, check, connect
from doorward.sqlite.revision import is_current

_log = logging.getLogger(__name__)

_PACKAGE = "doorward.broker.store"  # that has the migrations
_AT_HAND = 1000  # lines of the log that are read back
_LOG_KEPT = 50_000  # lines
# Of these so many more: whoever says a lot must not push out who was refused, nor who changed what.
_LOG_KEPT_OF = {DENIED: 20_000, REFUSED: 20_000, CHANGED: 20_000}

T = TypeVar("T")
Key = TypeVar("Key", bound=tuple[object, ...])


class BrokerStore:
    """Keeps batches in an encrypted SQLite file; the `Store` of the broker."""

    def __init__(self, path: Path, key: bytes, marker: Marker) -> None:
        """Use a file whose schema is up to date."""
        self._path, self._key = path, key
        self._marker = marker
        transaction = DriverTransaction(self._connect)
        self._writer = GroupWriter(transaction, name="broker-writer", watch=marker)
        self.left_out = 0
        self.lost = marker.lost

    @classmethod
    def open(cls, path: Path, key: bytes) -> "BrokerStore":
        """Open or create the file. Raises WrongKey, DatabaseDamaged or DatabaseTooNew."""
        prepare(path, key)
        return cls.prepared(path, key)

    @classmethod
    def prepared(cls, path: Path, key: bytes) -> "BrokerStore":
        """The file as `prepare` has just left it. Raises DatabaseDamaged."""
        with closing(connect(path, key)) as driver:
            return cls(path, key, Marker.open(driver, path))

    def load(self) -> Kept:
        """Read everything back, in one view."""
        with closing(self._connect()) as driver:
            driver.execute("BEGIN")
            sessions = {
                client: KeptSession(owner, {})
                for client, owner in driver.execute(tables.SESSIONS.all)
            }
            for client, topic_filter, qos in driver.execute(tables.SUBSCRIPTIONS.all):
                sessions[client].subscriptions[topic_filter] = qos
            principals = driver.execute(tables.PRINCIPALS.all)
            messages = driver.execute(tables.MESSAGES.all + " ORDER BY row")
            retained = driver.execute(tables.RETAINED.all)
            users = driver.execute(tables.USERS.all)
            welcome = driver.execute(tables.WELCOME.all + " ORDER BY rowid").fetchall()
            rules = driver.execute(tables.RULES.all)
            log = driver.execute(_newest(), (_AT_HAND,)).fetchall()
            return Kept(
                principals={name: (role, digest) for name, role, digest in principals},
                sessions=sessions,
                messages=[_message(KeptMessage(*row)) for row in messages],
                received=driver.execute(tables.RECEIVED.all).fetchall(),
                retained={topic: KeptRetained(*kept) for topic, *kept in retained},
                users={name: (roles, hashed) for name, roles, hashed in users},
                welcome=welcome,
                rules={
                    (*key, text): (bool(publish), bool(read)) for *key, text, publish, read in rules
                },
                log=[Entry(*row) for row in reversed(log)],
            )

    def read_log(self, query: LogQuery) -> list[Entry]:
        """Those entries, newest first. Blocks."""
        given = [
            (condition, value)
            for condition, value in (
                ("action = ?", query.action),
                ("principal = ?", query.principal),
                ("number < ?", query.before),
                ("number > ?", query.after),
            )
            if value is not None
        ]
        wanted = _newest(*(condition for condition, _ in given))
        with closing(self._connect()) as driver:
            values = (*(value for _, value in given), query.limit)
            return [Entry(*row) for row in driver.execute(wanted, values)]

    def start(self) -> None:
        """Start the writer; its answers arrive on this event loop."""
        self._writer.start()

    def write(self, batch: Batch, done: Callable[[Exception | None], None]) -> None:
        """Commit one batch in the writer's thread; without those of its changes that the file cannot hold."""

        def answered(_none: None, error: Exception | None) -> None:
            if error is None or isinstance(error, Unavailable):
                done(error)
            else:
                self._submit(lambda driver: apply_each(driver, batch, self._apply), salvaged)

        def salvaged(left_out: list[str] | None, error: Exception | None) -> None:
            for told in left_out or ():
                _log.error("broker.db cannot hold one change, which is lost: %s", told)
            self.left_out += len(left_out or ())
            done(error)

        self._submit(lambda driver: self._apply(driver, batch), answered)

    def _apply(self, driver: Any, batch: Batch) -> None:
        _apply(driver, batch)
        if batch.users or batch.rules:
            self._marker.changed(driver)

    def _submit(
        self,
        work: Callable[[Any], T],
        done: Callable[[T | None, Exception | None], None],
    ) -> None:
        try:
            self._writer.submit(work, done)
        except DoorwardError as error:
            done(None, error)

    async def close(self) -> None:
        """Finish what was handed over, close the file."""
        await self._writer.close()

    def _connect(self) -> Any:
        return connect(self._path, self._key)


def prepare(path: Path, key: bytes) -> None:
    """Have the file there, whole and with the tables of this version. Raises as `BrokerStore.open` does.

    What that takes is loaded only where something is missing.
    """
    check(path, key)
    with closing(connect(path, key)) as driver:
        current = is_current(driver, _PACKAGE)
    if not current:
        from doorward.database import open_database, upgrade  # noqa: PLC0415 - see above

        engine = open_database(path, key)
        try:
            upgrade(engine, _PACKAGE)
        finally:
            engine.dispose()


def _apply(driver: Any, batch: Batch) -> None:
    """Write a batch, in the order that `Batch` names."""
    tables.SESSIONS.take_out(driver, [(client,) for client in batch.ended])
    tables.SESSIONS.put(driver, batch.sessions.items())
    _change(
        driver,
        tables.SUBSCRIPTIONS,
        {key: None if qos is None else (qos,) for key, qos in batch.subscriptions.items()},
    )
    tables.MESSAGES.put(driver, batch.messages.values())
    _SENT.run(driver, batch.sent.items())
    _RELEASED.run(driver, [(row,) for row in batch.released])
    tables.MESSAGES.take_out(driver, [(row,) for row in batch.done])
    _change(driver, tables.RETAINED, {(topic,): kept for topic, kept in batch.retained.items()})
    _change(
        driver, tables.RECEIVED, {key: () if held else None for key, held in batch.received.items()}
    )
    _change(driver, tables.PRINCIPALS, {(name,): known for name, known in batch.principals.items()})
    _change(driver, tables.USERS, {(name,): known for name, known in batch.users.items()})
    # Each anew: the order of the rows is the order in which they came in last.
    tables.WELCOME.take_out(driver, batch.welcome)
    tables.WELCOME.put(driver, [key for key, known in batch.welcome.items() if known])
    _change(driver, tables.RULES, batch.rules)
    if batch.log:
        tables.LOG.put(driver, batch.log)
        oldest = batch.log[-1].number - _LOG_KEPT
        for action in ACTIONS:
            if action in _LOG_KEPT_OF:
                driver.execute(_PRUNE_RARE, (action, oldest, action, _LOG_KEPT_OF[action]))
            else:
                driver.execute(_PRUNE_LOG, (action, oldest))


def _newest(*conditions: str) -> str:
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"{tables.LOG.all}{where} ORDER BY number DESC LIMIT ?"


def _message(kept: KeptMessage) -> KeptMessage:
    """SQLite has no booleans."""
    return kept._replace(retain=bool(kept.retain), released=bool(kept.released))


def _change(driver: Any, table: Rows, changes: Mapping[Key, tuple[object, ...] | None]) -> None:
    """Put rows in, or take them out: primary key -> the other columns in their order, None to delete."""
    if changes:
        table.put(driver, [(*key, *rest) for key, rest in changes.items() if rest is not None])
        table.take_out(driver, [key for key, rest in changes.items() if rest is None])


_PRUNE_LOG = "DELETE FROM log WHERE action = ? AND number <= ?"
_PRUNE_RARE = (
    "DELETE FROM log WHERE action = ? AND number <= ? AND number <="
    " (SELECT number FROM log WHERE action = ? ORDER BY number DESC LIMIT 1 OFFSET ?)"
)
_SENT = Statement(
    "UPDATE message SET packet_id = now.column2 FROM (VALUES (?, ?)) AS now WHERE row = now.column1"
)
_RELEASED = Statement("UPDATE message SET released = TRUE WHERE (row) IN (VALUES (?))")
