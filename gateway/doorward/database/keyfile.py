"""The file that holds a database's key: 32 random bytes, readable by its owner alone."""

import secrets
from pathlib import Path

from doorward import private_file
from doorward.errors import KeyFileError

KEY_BYTES = 32


def load_or_create(path: Path, database: Path | None = None) -> bytes:
    """Return the key in `path`, made anew when neither it nor the `database` it is for exists.

    Raises KeyFileTooOpen when group or others may touch it, KeyFileError when it is not a key or is gone.
    """
    if not path.exists():
        if database is not None and database.exists():
            # A new one would open nothing, and stand in the place of the one that does.
            raise KeyFileError(
                f"the key {path} is missing, and {database.name} cannot be opened without it",
                "restore it from your backup",
            )
        private_file.create(path, secrets.token_bytes(KEY_BYTES))
    key = private_file.read_key(path)
    if len(key) != KEY_BYTES:
        raise KeyFileError(
            f"key file {path} holds {len(key)} bytes, a key has {KEY_BYTES}",
            "restore the file from your backup",
        )
    return key
