"""One gateway a data directory."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from doorward.errors import AlreadyRunning, StartupError
from doorward.file_lock import FileLock, lock_file


@contextmanager
def hold(directory: Path) -> Iterator[None]:
    """`take` it, for as long as that lasts."""
    with take(directory):
        yield


def take(directory: Path) -> FileLock:
    """Make `directory` if there is none, private to its owner, and keep others out of it.

    Raises AlreadyRunning while another gateway does. The kernel lets go when the process ends, however it ends.
    """
    path = directory / "run" / "gateway.lock"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        held = lock_file(path)
    except BlockingIOError:
        pid = path.read_text(errors="replace").strip()
        raise AlreadyRunning(
            f"a gateway (process {pid or 'unknown'}) uses {directory} already",
            "stop it, or choose another --data",
        ) from None
    except OSError as error:
        raise StartupError(
            f"{error.filename} cannot be used ({error.strerror})", "choose another --data"
        ) from error
    os.ftruncate(held.descriptor, 0)
    os.pwrite(held.descriptor, str(os.getpid()).encode(), 0)
    return held
