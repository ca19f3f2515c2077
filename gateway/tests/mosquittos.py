"""A Mosquitto of ours in a directory of a test, and one that is somebody else's."""

import io
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ports import free_port_base

from doorward.adapters.mosquitto import installed
from doorward.cli import root
from doorward.errors import StartupError

PATIENCE_S = 10.0


def require_mosquitto() -> None:
    """Skip where there is none."""
    try:
        installed.find()
    except StartupError as error:
        pytest.skip(error.message)


class Done(NamedTuple):
    """What a command came to."""

    returncode: int
    stdout: str
    stderr: str


class Site:
    """An installation with a Mosquitto, spoken to as its user does: by commands."""

    def __init__(self, data: Path) -> None:
        require_mosquitto()
        self.data = data
        data.mkdir(mode=0o700)
        self.configure(free_port_base())

    @property
    def files(self) -> Path:
        return self.data / "mosquitto"

    def configure(self, base: int) -> None:
        """Write doorward.toml with ports from `base` on."""
        self.port_base = base
        (self.data / "doorward.toml").write_text(
            f'broker = "mosquitto"\n[web]\nport = {base}\n[mqtt]\nhost = "127.0.0.1"\n'
            f"port = {base + 1}\nplain_port = {base + 2}\nwebsocket_port = {base + 3}\n"
        )

    def run(self, *words: str) -> Done:
        """`doorward broker mosquitto …`."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = root.run(["broker", "mosquitto", *words, "--data", str(self.data)])
        return Done(code, out.getvalue(), err.getvalue())

    def ask(self, *words: str) -> Any:
        """One that must succeed; returns its JSON."""
        done = self.run(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@contextmanager
def site(data: Path) -> Iterator[Site]:
    """Set up, not started; whatever of it runs at the end is ended."""
    made = Site(data)
    made.ask("setup")
    try:
        yield made
    finally:
        made.run("stop")
        left = [path for path in Path("/proc").glob("[0-9]*/cmdline") if _names(path, made.files)]
        assert not left, "a Mosquitto of a test is ended with it"


def _names(cmdline: Path, files: Path) -> bool:
    try:
        return os.fsencode(files / "mosquitto.conf") in cmdline.read_bytes().split(b"\0")
    except OSError:
        return False


@contextmanager
def foreign(directory: Path, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """A Mosquitto of somebody else, on this port."""
    directory.mkdir()
    path = directory / "mosquitto.conf"
    path.write_text(f"user {os.environ.get('USER', 'root')}\nlistener {port} 127.0.0.1\n")
    program = installed.find().program
    process = subprocess.Popen([program, "-c", path], stderr=subprocess.DEVNULL)
    try:
        time.sleep(0.3)
        assert process.poll() is None
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)
