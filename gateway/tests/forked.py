"""`doorward …` in a process of its own, forked from one that has everything imported.

Such a process has memory, files, sockets and signals of its own and can be killed like any other; only its imports were
made before. Where the start itself is what is tested, `python -m doorward` is run instead.
"""

import atexit
import contextlib
import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

_SERVER = Path(__file__).with_name("fork_server.py")


@functools.cache
def _server() -> socket.socket:
    """The line to this test process's own server, which ends when the line does."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    path = os.pathsep.join(part for part in sys.path if part)
    with theirs:
        server = subprocess.Popen(
            [sys.executable, str(_SERVER)],
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,
        )

    def end() -> None:
        ours.close()
        server.wait()

    atexit.register(end)
    return ours


class Forked:
    """As subprocess.Popen, as far as tests need it: stdout is nowhere, a pipe (subprocess.PIPE), or a file."""

    def __init__(
        self,
        words: Sequence[str],
        *,
        stdout: IO[bytes] | int = subprocess.DEVNULL,
        stderr: IO[bytes] | int = subprocess.DEVNULL,
        cwd: Path | None = None,
        env: Mapping[str, str] = os.environ,
        session: bool = False,
    ) -> None:
        self.returncode: int | None = None
        self.stdout: IO[bytes] | None = None
        request = {
            "words": list(words),
            "cwd": str(cwd or Path.cwd()),
            "environment": dict(env),
            "session": session,
        }
        self._told, telling = socket.socketpair()
        with contextlib.ExitStack() as stack:
            nothing = stack.enter_context(Path(os.devnull).open("r+b"))
            if stdout == subprocess.PIPE:
                reading, writing = os.pipe()
                self.stdout = os.fdopen(reading, "rb")
                stdout = stack.enter_context(os.fdopen(writing, "wb"))
            out, errors = (nothing if isinstance(file, int) else file for file in (stdout, stderr))
            stack.enter_context(telling)
            files = [file.fileno() for file in (nothing, out, errors, telling)]
            socket.send_fds(_server(), [json.dumps(request).encode()], files)
        self._words = self._told.makefile("rb")
        self.pid = int(self._words.readline())

    def poll(self) -> int | None:
        if self.returncode is None and select.select([self._told], [], [], 0)[0]:
            self.returncode = int(self._words.readline())
            self._words.close()
            self._told.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            select.select([self._told], [], [], timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired("doorward", timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def run(
    words: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] = os.environ,
    timeout: float = 60,
) -> "subprocess.CompletedProcess[str]":
    """One command, from its start to its end."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        process = Forked(words, stdout=out, stderr=errors, cwd=cwd, env=env)
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        said = []
        for file in (out, errors):
            file.seek(0)
            said.append(file.read().decode())
    return subprocess.CompletedProcess(list(words), code, *said)
