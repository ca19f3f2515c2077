"""The file that holds a database's key: 32 random bytes, readable by its owner alone."""

import os
import secrets
import stat
from pathlib import Path

from doorward.errors import KeyFileError, KeyFileTooOpen

KEY_BYTES = 32
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def load_or_create(path: Path) -> bytes:
    """Return the key in `path`, made anew when the file does not exist.

    Raises KeyFileTooOpen when group or others may touch it, KeyFileError when it is not a key.
    """
    if not path.exists():
        _create(path)
    return _load(path)


def _create(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        # A link instead of a rename: it never replaces a key that another process made meanwhile.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    _sync_directory(path.parent)


def _load(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode
        if mode & _OTHERS:
            raise KeyFileTooOpen(
                f"key file {path} is open to others (mode {mode & 0o777:04o})", f"chmod 600 {path}"
            )
        key = path.read_bytes()
    except OSError as error:
        raise KeyFileError(
            f"key file {path} cannot be read ({error.strerror})", "run as the user who owns it"
        ) from error
    if len(key) != KEY_BYTES:
        raise KeyFileError(
            f"key file {path} holds {len(key)} bytes, a key has {KEY_BYTES}",
            "restore the file from your backup",
        )
    return key


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
