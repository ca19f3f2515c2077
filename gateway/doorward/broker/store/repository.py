"""broker.db: an encrypted file with one writer."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import ClauseElement, Connection, Engine, Select, Table, bindparam, select, update
from sqlalchemy.dialects.sqlite import dialect, insert

from doorward.broker.ports import Batch, Entry, Kept, KeptMessage, KeptRetained, KeptSession
from doorward.broker.store import tables
from doorward.database import Writer, open_database, upgrade
from doorward.errors import DoorwardError

_AT_HAND = 1000  # lines of the log that are read back
_LOG_KEPT = 50_000


class BrokerStore:
    """Keeps batches in an encrypted SQLite file; the `Store` of the broker."""

    def __init__(self, engine: Engine) -> None:
        """Use an engine whose schema is up to date."""
        self._engine = engine
        self._writer = Writer(engine, name="broker-writer")

    @classmethod
    def open(cls, path: Path, key: bytes) -> "BrokerStore":
        """Open or create the file. Raises WrongKey, DatabaseDamaged or DatabaseTooNew."""
        engine = open_database(path, key)
        try:
            upgrade(engine, "doorward.broker.store")
        except BaseException:
            engine.dispose()
            raise
        return cls(engine)

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
                retained={topic: KeptRetained(payload, qos) for topic, payload, qos in retained},
                users={name: (roles, hashed) for name, roles, hashed in users},
                rules={(*key, text): (publish, read) for *key, text, publish, read in rules},
                log=[Entry(*row) for row in reversed(log)],
            )

    def read_log(
        self,
        limit: int,
        action: str | None = None,
        principal: str | None = None,
        before: int | None = None,
    ) -> list[Entry]:
        """The newest entries below the number `before`, newest first. Blocks."""
        wanted = _newest(limit)
        column = tables.log.c
        for given, condition in (
            (action, column.action == action),
            (principal, column.principal == principal),
            (before, column.number < (before or 0)),
        ):
            if given is not None:
                wanted = wanted.where(condition)
        with self._engine.connect() as connection:
            return [Entry(*row) for row in connection.execute(wanted)]

    def start(self) -> None:
        """Start the writer; its answers arrive on this event loop."""
        self._writer.start()

    def write(self, batch: Batch, done: Callable[[Exception | None], None]) -> None:
        """Commit one batch in the writer's thread."""
        try:
            self._writer.submit(
                lambda connection: _apply(connection, batch), lambda _none, error: done(error)
            )
        except DoorwardError as error:
            done(error)

    async def close(self) -> None:
        """Finish what was handed over, close the file."""
        await self._writer.close()
        self._engine.dispose()


def _apply(connection: Connection, batch: Batch) -> None:
    """Write a batch, in the order that `Batch` names."""
    _change(connection, _SESSIONS, {(client,): None for client in batch.ended})
    _change(
        connection, _SESSIONS, {(client,): (owner,) for client, owner in batch.sessions.items()}
    )
    _change(
        connection,
        _SUBSCRIPTIONS,
        {key: None if qos is None else (qos,) for key, qos in batch.subscriptions.items()},
    )
    _change(connection, _MESSAGES, {(row,): message[1:] for row, message in batch.messages.items()})
    if batch.sent:
        sent = [(packet_id, row) for row, packet_id in batch.sent.items()]
        connection.exec_driver_sql(_MARK_SENT, sent)
    if batch.released:
        connection.exec_driver_sql(_MARK_RELEASED, [(True, row) for row in batch.released])
    _change(connection, _MESSAGES, {(row,): None for row in batch.done})
    _change(connection, _RETAINED, {(topic,): kept for topic, kept in batch.retained.items()})
    _change(
        connection,
        _RECEIVED,
        {key: () if held else None for key, held in batch.received.items()},
    )
    _change(connection, _PRINCIPALS, {(name,): known for name, known in batch.principals.items()})
    _change(connection, _USERS, {(name,): known for name, known in batch.users.items()})
    _change(connection, _RULES, batch.rules)
    if batch.log:
        _change(connection, _LOG, {(entry.number,): entry[1:] for entry in batch.log})
        connection.exec_driver_sql(_PRUNE_LOG, (batch.log[-1].number - _LOG_KEPT,))


def _newest(limit: int) -> Select[Any]:
    return select(tables.log).order_by(tables.log.c.number.desc()).limit(limit)


class _Statements(NamedTuple):
    """The SQL that puts a row in and takes one out, with its parameters in the order of the columns."""

    put: str
    take_out: str


def _compile(statement: ClauseElement) -> str:
    """Compiled once: on the way of every message SQLAlchemy's own look-up costs more than SQLite."""
    return str(statement.compile(dialect=dialect()))


def _statements(table: Table) -> _Statements:
    put = insert(table)
    rest = [column.name for column in table.columns if not column.primary_key]
    # Never REPLACE: it would delete the old session row and cascade to its queue.
    put = (
        put.on_conflict_do_update(
            index_elements=list(table.primary_key), set_={name: put.excluded[name] for name in rest}
        )
        if rest
        else put.on_conflict_do_nothing()
    )
    of_key = (column == bindparam(f"key_{column.name}") for column in table.primary_key)
    return _Statements(_compile(put), _compile(table.delete().where(*of_key)))


_PRINCIPALS = _statements(tables.principals)
_SESSIONS = _statements(tables.sessions)
_SUBSCRIPTIONS = _statements(tables.subscriptions)
_MESSAGES = _statements(tables.messages)
_RECEIVED = _statements(tables.received)
_RETAINED = _statements(tables.retained)
_USERS = _statements(tables.users)
_RULES = _statements(tables.rules)
_LOG = _statements(tables.log)
_PRUNE_LOG = _compile(tables.log.delete().where(tables.log.c.number <= bindparam("oldest")))
_MARK_SENT = _compile(
    update(tables.messages)
    .where(tables.messages.c.row == bindparam("of_row"))
    .values(packet_id=bindparam("packet_id"))
)
_MARK_RELEASED = _compile(
    update(tables.messages)
    .where(tables.messages.c.row == bindparam("of_row"))
    .values(released=bindparam("released"))
)


Key = TypeVar("Key", bound=tuple[object, ...])


def _change(
    connection: Connection,
    table: _Statements,
    changes: Mapping[Key, tuple[object, ...] | None],
) -> None:
    """Put rows in, or take them out: primary key -> the other columns in their order, None to delete."""
    put = [(*key, *rest) for key, rest in changes.items() if rest is not None]
    if put:
        connection.exec_driver_sql(table.put, put)
    gone = [key for key, rest in changes.items() if rest is None]
    if gone:
        connection.exec_driver_sql(table.take_out, gone)
