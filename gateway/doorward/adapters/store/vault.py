"""Cells that are sealed once more inside the encrypted file: AES-256-GCM, bound to their table, row and column."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from doorward.errors import DatabaseDamaged

_NONCE_BYTES = 12
_PURPOSE = b"doorward sealed cells"


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


def _place(table: str, row: object, column: str) -> bytes:
    return "\n".join((table, str(row), column)).encode()
