"""broker.db: an encrypted file with one writer."""

from collections.abc import Callable, Mapping
from pathlib import Path

from sqlalchemy import Connection, Engine, Table, bindparam, select, update
from sqlalchemy.dialects.sqlite import Insert, insert

from doorward.broker.ports import Batch, Kept, KeptMessage, KeptRetained
from doorward.broker.store import tables
from doorward.database import Writer, open_database, upgrade
from doorward.errors import DoorwardError


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
            sessions: dict[str, dict[str, int]] = {}
            for (client,) in connection.execute(select(tables.sessions)):
                sessions[client] = {}
            for client, topic_filter, qos in connection.execute(select(tables.subscriptions)):
                sessions[client][topic_filter] = qos
            principals = connection.execute(select(tables.principals))
            messages = connection.execute(select(tables.messages).order_by(tables.messages.c.row))
            received = connection.execute(select(tables.received))
            retained = connection.execute(select(tables.retained))
            return Kept(
                principals={name: (role, digest) for name, role, digest in principals},
                sessions=sessions,
                messages=[KeptMessage(*row) for row in messages],
                received=[(client, packet_id) for client, packet_id in received],
                retained={topic: KeptRetained(payload, qos) for topic, payload, qos in retained},
            )

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
    _change(connection, tables.sessions, {(client,): None for client in batch.ended})
    _change(connection, tables.sessions, {(client,): () for client in batch.sessions})
    _change(
        connection,
        tables.subscriptions,
        {key: None if qos is None else (qos,) for key, qos in batch.subscriptions.items()},
    )
    _change(
        connection,
        tables.messages,
        {(row,): message[1:] for row, message in batch.messages.items()},
    )
    if batch.sent:
        sent = [{"of_row": row, "packet_id": number} for row, number in batch.sent.items()]
        connection.execute(_MARK_SENT, sent)
    _change(connection, tables.messages, {(row,): None for row in batch.done})
    _change(connection, tables.retained, {(topic,): kept for topic, kept in batch.retained.items()})
    _change(
        connection,
        tables.received,
        {key: () if held else None for key, held in batch.received.items()},
    )
    _change(
        connection, tables.principals, {(name,): known for name, known in batch.principals.items()}
    )


_MARK_SENT = update(tables.messages).where(tables.messages.c.row == bindparam("of_row"))


def _change(
    connection: Connection,
    table: Table,
    changes: Mapping[tuple[object, ...], tuple[object, ...] | None],
) -> None:
    """Put rows in, or take them out: primary key -> the other columns in their order, None to delete."""
    if not changes:
        return
    names = [column.name for column in table.columns]
    put = [
        dict(zip(names, (*key, *rest), strict=True))
        for key, rest in changes.items()
        if rest is not None
    ]
    if put:
        connection.execute(_upsert(table), put)
    gone = [
        dict(zip(_bound(table), key, strict=True)) for key, rest in changes.items() if rest is None
    ]
    if gone:
        of_key = (
            column == bindparam(name)
            for column, name in zip(table.primary_key, _bound(table), strict=True)
        )
        connection.execute(table.delete().where(*of_key), gone)


def _upsert(table: Table) -> Insert:
    """Insert or overwrite. Never REPLACE: it would delete the old session row and cascade to its queue."""
    statement = insert(table)
    rest = [column.name for column in table.columns if not column.primary_key]
    if not rest:
        return statement.on_conflict_do_nothing()
    values = {name: statement.excluded[name] for name in rest}
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=values)


def _bound(table: Table) -> list[str]:
    """Names for the key's parameters that no column has."""
    return [f"key_{column.name}" for column in table.primary_key]
