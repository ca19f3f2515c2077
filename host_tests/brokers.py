"""A foreign broker to test against, owned by the test that starts it."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ports import free_ports

# Debian puts it where only root's PATH looks.
_PROGRAMS = (
    Path("/usr/sbin/mosquitto"),
    Path("/usr/bin/mosquitto"),
    Path("/usr/local/sbin/mosquitto"),
)


@contextlib.contextmanager
def mosquitto(
    directory: Path, tls: Mapping[str, object] | None = None, *, settings: Sequence[str] = ()
) -> Iterator[int]:
    """Run mosquitto on loopback, without a login, for as long as the context lasts; its port.

    tls: the settings of a second listener, on the next port. settings: further lines for all of it.
    """
    program = _mosquitto()
    port = free_ports(2)
    lines = ["allow_anonymous true", "persistence false", "set_tcp_nodelay true", *settings]
    lines += [f"listener {port} 127.0.0.1"]
    if tls is not None:
        # Started by root it would become somebody who cannot read root's files.
        lines += ["user root", f"listener {port + 1} 127.0.0.1"]
        lines += [f"{name} {value}" for name, value in tls.items()]
    config = directory / "mosquitto.conf"
    config.write_text("\n".join(lines) + "\n")
    with (directory / "mosquitto.log").open("w") as log:
        process = subprocess.Popen([program, "-c", config], stdout=log, stderr=log)
    try:
        _wait_until_open(port)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=5)


class Stoppable:
    """A broker that a test starts, kills and freezes; open to `sam` on 127.0.0.1. kind: one of KINDS."""

    KINDS = ("doorward", "mosquitto")

    def __init__(self, kind: str, directory: Path) -> None:
        self.port = free_ports(1)
        self.kind = kind
        self._process: subprocess.Popen[bytes] | None = None
        self._directory = directory
        config = directory / "stoppable.conf"
        lines = ["allow_anonymous true", "persistence false", "set_tcp_nodelay true"]
        config.write_text("\n".join([*lines, f"listener {self.port} 127.0.0.1"]) + "\n")
        own = [sys.executable, str(Path(__file__).with_name("school_broker.py"))]
        if kind == "doorward":
            self._command = [*own, str(directory), str(self.port)]
        else:
            self._command = [str(_mosquitto()), "-c", str(config)]

    def start(self) -> None:
        with (self._directory / "broker.log").open("a") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        _wait_until_open(self.port)

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self) -> None:
        """As a machine that is switched off."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=5)


def _mosquitto() -> Path:
    return next(path for path in _PROGRAMS if path.exists())


def _wait_until_open(port: int) -> None:
    for _ in range(400):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise TimeoutError(f"mosquitto does not listen on {port}")
