"""One at a time: who comes second is told so or waits, and who ends lets go."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from doorward.file_lock import lock_directory, lock_file


def test_a_file_is_held_by_one_until_it_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    with lock_file(path):
        assert path.stat().st_mode & 0o777 == 0o600
        with pytest.raises(BlockingIOError):
            lock_file(path)
    lock_file(path).close()


def test_a_directory_too_and_who_waits_gets_it_next(tmp_path: Path) -> None:
    got = threading.Event()

    def wait() -> None:
        lock_directory(tmp_path, wait=True).close()
        got.set()

    waiting = threading.Thread(target=wait)
    with lock_directory(tmp_path, wait=True):
        with pytest.raises(BlockingIOError):
            lock_directory(tmp_path, wait=False)
        waiting.start()
        assert not got.wait(0.05)
    waiting.join(30)
    assert got.is_set()


def test_a_process_that_ends_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    script = f"""
import os, pathlib
from doorward.file_lock import lock_file
held = lock_file(pathlib.Path({str(path)!r}))
print("held", flush=True)
input()
os._exit(1)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(BlockingIOError):
            lock_file(path)
        process.communicate("\n", timeout=30)
    lock_file(path).close()


def test_what_is_no_directory_or_cannot_be_made_is_the_callers_to_tell(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        lock_directory(tmp_path / "file", wait=False)
    with pytest.raises(FileNotFoundError):
        lock_file(tmp_path / "none" / "x.lock")
