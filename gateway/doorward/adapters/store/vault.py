"""Cells that are sealed once more inside the encrypted file: AES-256-GCM, bound to their table, row and column."""

import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import inspect

from doorward.database import open_database
from doorward.errors import DatabaseDamaged

_NONCE_BYTES = 12
_PURPOSE = b"doorward sealed cells"


_CELLS = (("operator", "seed"),)


class Vault:
    """Seals and opens cells with a key derived from the database's own."""

    def __init__(self, key: bytes) -> None:
        """`key`: the 32 bytes of the database."""
        self._cipher = AESGCM(HKDF(SHA256(), 32, salt=None, info=_PURPOSE).derive(key))

    def seal(self, content: bytes, table: str, row: object, column: str) -> bytes:
        """The content for this one cell."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, _place(table, row, column))

    def open(self, sealed: bytes, table: str, row: object, column: str) -> bytes:
        """What was sealed for this cell; raises DatabaseDamaged for anything else."""
        try:
            nonce, content = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
            return self._cipher.decrypt(nonce, content, _place(table, row, column))
        except (InvalidTag, ValueError) as error:
            raise DatabaseDamaged(
                f"{table}.{column} of row {row} is not what was written",
                "restore the database from your backup",
            ) from error


def reseal(path: Path, old_key: bytes, new_key: bytes) -> None:
    """Seal the cells of a database that was given a `new_key` under that, too. Raises DatabaseDamaged."""
    old, new = Vault(old_key), Vault(new_key)
    engine = open_database(path, new_key)
    with engine.begin() as connection:
        known = inspect(connection)
        for table, column in _CELLS:
            # A database that no gateway of this version has opened may not have the column yet.
            if column not in {found["name"] for found in known.get_columns(table)}:
                continue
            query = f"SELECT id, {column} FROM {table} WHERE {column} IS NOT NULL"  # noqa: S608 - both are ours
            for row, sealed in connection.exec_driver_sql(query).all():
                cell = new.seal(old.open(sealed, table, row, column), table, row, column)
                change = f"UPDATE {table} SET {column} = ? WHERE id = ?"  # noqa: S608 - ditto
                connection.exec_driver_sql(change, (cell, row))
    engine.dispose()


def _place(table: str, row: object, column: str) -> bytes:
    return "\n".join((table, str(row), column)).encode()
