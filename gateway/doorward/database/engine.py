"""SQLAlchemy on an encrypted file."""

from pathlib import Path

import sqlcipher3.dbapi2 as sqlcipher
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from doorward.sqlite import check, connect

_BEGIN = "doorward_begin"  # the execution option: what a transaction of SQLAlchemy's begins with


def open_database(path: Path, key: bytes) -> Engine:
    """Open the SQLCipher file at `path` with a raw 32-byte `key`, creating it when there is none.

    Transactions are explicit: a plain `engine.begin()` reads a stable view, one on
    `for_writing(engine)` takes the write lock at once. Raises WrongKey when the key does not fit,
    DatabaseDamaged when the file fails its own checks.
    """
    check(path, key)
    engine = create_engine(
        "sqlite+pysqlite://",
        module=sqlcipher,
        creator=lambda: connect(path, key),
        poolclass=QueuePool,
    )
    # pysqlite's own idea of when to begin breaks SAVEPOINT and transactional DDL; this is
    # SQLAlchemy's documented way out.
    event.listen(engine, "begin", _begin)
    return engine


def for_writing(engine: Engine) -> Engine:
    """The same engine and pool, whose transactions take the write lock when they begin."""
    return engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})


def by_hand(engine: Engine) -> Engine:
    """The same engine and pool, whose user begins every transaction at the driver before SQLAlchemy sees it."""
    return engine.execution_options(**{_BEGIN: None})


def _begin(connection: Connection) -> None:
    statement = connection.get_execution_options().get(_BEGIN, "BEGIN")
    if statement is not None:
        connection.exec_driver_sql(statement)
