"""One gateway a data directory."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from doorward.errors import AlreadyRunning, StartupError


@contextmanager
def hold(directory: Path) -> Iterator[None]:
    """Make `directory` if there is none, private to its owner, and keep others out of it.

    Raises AlreadyRunning while another gateway does. The kernel lets go when the process ends, however it ends.
    """
    path = directory / "run" / "gateway.lock"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StartupError(
            f"{error.filename} cannot be used ({error.strerror})", "choose another --data"
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.read(descriptor, 16).decode(errors="replace").strip()
            raise AlreadyRunning(
                f"a gateway (process {pid or 'unknown'}) uses {directory} already",
                "stop it, or choose another --data",
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)
