"""A foreign broker to test against, owned by the test that starts it."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

# Debian puts it where only root's PATH looks.
_PROGRAMS = (
    Path("/usr/sbin/mosquitto"),
    Path("/usr/bin/mosquitto"),
    Path("/usr/local/sbin/mosquitto"),
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def mosquitto(directory: Path) -> Iterator[int]:
    """Run mosquitto on loopback, without a login, for as long as the context lasts; its port."""
    program = next(path for path in _PROGRAMS if path.exists())
    port = free_port()
    config = directory / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nset_tcp_nodelay true\n"
    )
    with (directory / "mosquitto.log").open("w") as log:
        process = subprocess.Popen([program, "-c", config], stdout=log, stderr=log)
    try:
        _wait_until_open(port)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=5)


def _wait_until_open(port: int) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise TimeoutError(f"mosquitto does not listen on {port}")
