"""Files for their owner's eyes alone: there as a whole or not at all, whenever the power goes."""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from doorward.errors import KeyFileError, KeyFileTooOpen

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def create(path: Path, content: bytes) -> bool:
    """Make a new file, and its directory; False when there is one already, which stays as it is."""
    with _draft(path, content) as draft:
        try:
            # A link instead of a rename: it never replaces what another process made meanwhile.
            os.link(draft, path)
        except FileExistsError:
            return False
    return True


def replace(path: Path, content: bytes) -> None:
    """Write a file, in place of an older one if there is one."""
    with _draft(path, content) as draft:
        draft.replace(path)


def remove(path: Path) -> None:
    """Delete a file, so that it stays deleted when the power goes. Nothing happens when there is none."""
    try:
        path.unlink()
    except FileNotFoundError:
        return
    sync_directory(path.parent)


def read_key(path: Path) -> bytes:
    """Read a key file. Raises KeyFileTooOpen when group or others may touch it, KeyFileError when it cannot be read."""
    try:
        mode = path.stat().st_mode
        if mode & _OTHERS:
            raise KeyFileTooOpen(
                f"key file {path} is open to others (mode {mode & 0o777:04o})", f"chmod 600 {path}"
            )
        return path.read_bytes()
    except OSError as error:
        raise KeyFileError(
            f"key file {path} cannot be read ({error.strerror})", "run as the user who owns it"
        ) from error


def sync_directory(directory: Path) -> None:
    """Make the names in it last: a name is kept when its directory is."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _draft(path: Path, content: bytes) -> Iterator[Path]:
    """`content` on disk beside `path`, for as long as it takes to give it that name."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    finally:
        draft.unlink(missing_ok=True)
    sync_directory(path.parent)
