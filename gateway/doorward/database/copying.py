"""A copy of an encrypted database as it stands at one instant, while others go on reading and writing."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlcipher3.dbapi2 as sqlcipher
from sqlalchemy import Engine

from doorward.errors import DatabaseError
from doorward.sqlite import check, connect

_HEX_KEY = "\"x'{}'\""


def copy_database(path: Path, key: bytes, target: Path, new_key: bytes) -> None:
    """Copy the file at `path`, opened by `key`, to a new file `target` that `new_key` opens.

    The copy holds what was committed when it began; nobody waits for it. Raises WrongKey, DatabaseDamaged or
    DatabaseError, and then leaves no `target` behind.
    """
    check(path, key)
    with _whole(target):
        connection = connect(path, key)
        try:
            _vacuum_into(connection, target)
        finally:
            connection.close()
        _rekey(target, key, new_key)


def copy_beside(engine: Engine, target: Path) -> None:
    """Copy the database of `engine` to `target`, in place of an older copy; the same key opens it.

    Raises DatabaseError, and then the older copy is still there.
    """
    draft = target.with_name(f".{target.name}.part")
    draft.unlink(missing_ok=True)
    with _whole(draft):
        pooled = engine.raw_connection()
        try:
            _vacuum_into(pooled.driver_connection, draft)
        finally:
            pooled.close()
        _sync(draft)
    draft.replace(target)
    _sync(target.parent)


@contextmanager
def _whole(target: Path) -> Iterator[None]:
    """`target` is written as a whole or is not there."""
    try:
        yield
    except BaseException as error:
        target.unlink(missing_ok=True)
        if not isinstance(error, (sqlcipher.DatabaseError, OSError)):
            raise
        raise DatabaseError(
            f"{target.name} could not be written ({error})", f"make room in {target.parent}"
        ) from error


def _vacuum_into(connection: Any, target: Path) -> None:
    # SQLite takes an empty file, and would make one with whatever mode the umask leaves.
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    connection.execute("VACUUM INTO ?", (str(target),))


def _rekey(path: Path, key: bytes, new_key: bytes) -> None:
    connection = sqlcipher.connect(str(path), isolation_level=None)
    try:
        connection.execute("PRAGMA cipher_log_level = NONE")
        connection.execute(f"PRAGMA key = {_HEX_KEY.format(key.hex())}")
        connection.execute(f"PRAGMA rekey = {_HEX_KEY.format(new_key.hex())}")
    finally:
        connection.close()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
