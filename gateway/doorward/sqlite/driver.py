"""Connections to encrypted files, made so that a commit that returned is never lost."""

from pathlib import Path
from typing import Any

import sqlcipher3.dbapi2 as sqlcipher

from doorward.errors import DatabaseDamaged, DatabaseError, WrongKey

# SQLCipher's own format stays. HMAC-SHA256 spares a commit 0.02 ms of its 0.2 where the processor has instructions for
# it; smaller pages spare it nothing once the log has its length, and reading takes up to 1.6 times as long.
# WAL with FULL survived every simulated power cut; NORMAL lost acknowledged rows in 257 of 300.
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    # Pages until the log is written again from its start. A commit that makes the file longer takes twice the processor
    # time of one that writes over what is there, and longer to reach the disk: so it is to be long enough soon.
    "PRAGMA wal_autocheckpoint = 250",
    "PRAGMA foreign_keys = ON",
    "PRAGMA busy_timeout = 5000",
    "PRAGMA trusted_schema = OFF",
)

# The driver asks every value that is no int, float, str or bytearray how it wants to be adapted. An answer that is
# registered spares it a search that takes longer than SQLite's own work on a row.
sqlcipher.register_adapter(bool, int)
sqlcipher.register_adapter(bytes, bytearray)


def connect(path: Path, key: bytes) -> Any:
    """A connection whose transactions are explicit. The first statement that reads tells whether the key fits."""
    connection = sqlcipher.connect(str(path), check_same_thread=False, isolation_level=None)
    # Before the key, or SQLCipher prints its own lines about a wrong one to stderr.
    connection.execute("PRAGMA cipher_log_level = NONE")
    connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
    for pragma in _PRAGMAS:
        connection.execute(pragma)
    return connection


def check(path: Path, key: bytes) -> None:
    """Refuse a file that this key does not open, or whose pages do not hold together; make one where there is none.

    Raises WrongKey, DatabaseDamaged or DatabaseError.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    connection = None
    try:
        connection = connect(path, key)
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlcipher.OperationalError as error:
        raise DatabaseError(
            f"{path} cannot be opened ({error})", "check its owner, its mode and the free space"
        ) from error
    except sqlcipher.DatabaseError as error:
        if "not a database" in str(error):
            raise WrongKey(
                f"the key does not open {path} (or its first page is damaged)",
                "restore keys/database.key, or the database and its key together, from your backup",
            ) from error
        raise _damaged(path, str(error)) from error
    finally:
        if connection is not None:
            connection.close()
    if verdict != "ok":
        raise _damaged(path, verdict)


def _damaged(path: Path, detail: str) -> DatabaseDamaged:
    return DatabaseDamaged(f"{path} is damaged ({detail})", "restore it from your backup")
