"""Files and directories that one process at a time has. The kernel lets go when that process ends, however it ends."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self


class FileLock:
    """Held from when it is made; let go with `with`, or with `close`."""

    def __init__(self, descriptor: int, *, wait: bool) -> None:
        """Take over an open `descriptor`. Use `lock_file` and `lock_directory`."""
        self.descriptor = descriptor
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BaseException:
            os.close(descriptor)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go."""
        os.close(self.descriptor)


def lock_file(path: Path) -> FileLock:
    """Hold `path`, made for its owner alone if there is none; it stays when it is let go.

    Raises BlockingIOError while another process holds it, any other OSError where it cannot be used.
    """
    return FileLock(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), wait=False)


def lock_directory(path: Path, *, wait: bool) -> FileLock:
    """Hold the directory `path` itself. While another process does: `wait`, or raise BlockingIOError."""
    return FileLock(os.open(path, os.O_RDONLY | os.O_DIRECTORY), wait=wait)
