"""The brokers that bench/broker.py compares, each a process of its own with the same clients and the same policy.

Everybody comes with name and secret. The gateway may do everything under the base, a device on its own topics alone.
"""

import contextlib
import getpass
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from pathlib import Path

from doorward_core import topics

HERE = Path(__file__).parent
PATIENCE_S = 30.0
_USER = "crowd"
_AMQTT = (HERE.parent / ".venv-peers" / "bin" / "python", Path(sys.executable))


class Served(ABC):
    """A broker over a directory of its own. `secrets` are its clients: the gateway's first, then devices'."""

    def __init__(self, directory: Path, secrets: dict[str, str], base: str) -> None:
        """Nothing runs yet; the directory is made and filled."""
        directory.mkdir(parents=True)
        self.directory = directory
        self.secrets = secrets
        self.base = base
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the process that serves."""
        assert self._process is not None
        return self._process.pid

    @property
    def rss_mb(self) -> float:
        """What it holds of the machine's memory."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise SystemExit("bench: the broker is gone")

    def start(self) -> None:
        """Returns when somebody can connect."""
        self.launch()
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until and not self.has_ended():
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            time.sleep(0.01)
        raise SystemExit(f"bench: {self.directory.name} did not start:\n{self._last_words()}")

    def launch(self) -> None:
        """Start the process."""
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=HERE
            )

    def has_ended(self) -> bool:
        """True when nothing runs any more."""
        return self._process is None or self._process.poll() is not None

    def kill(self) -> None:
        """SIGKILL, and no sooner."""
        os.kill(self.pid, signal.SIGKILL)

    def stop(self) -> None:
        """End it if it runs."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def members(self, count: int) -> list[tuple[str, str, str, str]]:
        """So many clients: id, user, secret, and a filter of their own."""
        return [
            (name, name, secret, topics.device_topic(self.base, name, topics.CONTROL))
            for name, secret in list(self.secrets.items())[1 : count + 1]
        ]

    @abstractmethod
    def command(self) -> list[str]:
        """What starts it."""

    def _last_words(self) -> str:
        return (self.directory / "log").read_text(errors="replace")[-2000:]


class Doorward(Served):
    """Ours, with its encrypted store. `secure_port` takes clients with certificates, if there is a CA."""

    def __init__(
        self, directory: Path, secrets: dict[str, str], base: str, certificates: Path | None = None
    ) -> None:
        super().__init__(directory, secrets, base)
        self.secure_port = _free_port()
        site = {
            "port": self.port,
            "secure_port": self.secure_port,
            "base": base,
            "secrets": secrets,
            "certificates": str(certificates or ""),
        }
        (directory / "site.json").write_text(json.dumps(site))

    def command(self) -> list[str]:
        return [sys.executable, str(HERE / "served_broker.py"), str(self.directory)]


class Standalone(Served):
    """`doorward broker run` itself, as its user starts it. One user comes with many clients."""

    def __init__(self, directory: Path, password: str) -> None:
        super().__init__(directory, {_USER: password}, "")
        self._port_base = self.port - 2

    def members(self, count: int) -> list[tuple[str, str, str, str]]:
        """Clients of the one user there is."""
        password = self.secrets[_USER]
        return [
            (f"{_USER}-{number}", _USER, password, f"users/{_USER}/{number}/#")
            for number in range(count)
        ]

    def add_user(self) -> None:
        """Let the user in. It loads the API into the running broker: start it anew before measuring."""
        words = ("users", "add", _USER, "--role", "User", "--password-file", "-")
        command = self._doorward(*words)
        subprocess.run(
            command, input=self.secrets[_USER], text=True, check=True, capture_output=True
        )

    def command(self) -> list[str]:
        return self._doorward("run", "--port-base", str(self._port_base))

    def _doorward(self, *words: str) -> list[str]:
        data = str(self.directory / "data")
        return [sys.executable, "-m", "doorward", "broker", *words, "--data", data]


class Nursery:
    """Has doorward's broker loaded, and forks one at a time: a hundred are killed, and nobody waits for imports."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "served_broker.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def fork(self, directory: Path) -> int:
        """The process id of a new broker."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{directory}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        """Who was forked is not ended."""
        self._process.communicate()


class Forked(Doorward):
    """Ours, from a nursery."""

    def __init__(
        self, nursery: Nursery, directory: Path, secrets: dict[str, str], base: str
    ) -> None:
        super().__init__(directory, secrets, base)
        self._nursery = nursery
        self._pid = 0

    @property
    def pid(self) -> int:
        return self._pid

    def launch(self) -> None:
        self._pid = self._nursery.fork(self.directory)

    def has_ended(self) -> bool:
        return not Path(f"/proc/{self._pid}").exists()

    def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGTERM)
        while not self.has_ended():
            time.sleep(0.005)


class Mosquitto(Served):
    """Debian's. With `autosave` it writes its whole database after every change."""

    def __init__(
        self, directory: Path, secrets: dict[str, str], base: str, *, autosave: bool
    ) -> None:
        super().__init__(directory, secrets, base)
        passwords = directory / "passwords"
        passwords.write_text("".join(f"{name}:{secret}\n" for name, secret in secrets.items()))
        subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True)  # noqa: S607 - Debian's, wherever it is
        gateway = next(iter(secrets))
        (directory / "acl").write_text(
            f"user {gateway}\ntopic readwrite {base}/#\n\npattern readwrite {base}/devices/%u/#\n"
        )
        lines = [
            f"listener {self.port} 127.0.0.1",
            "allow_anonymous false",
            f"password_file {passwords}",
            f"acl_file {directory / 'acl'}",
            "set_tcp_nodelay true",
            "max_inflight_messages 64",
            "max_queued_messages 5000",
            f"user {getpass.getuser()}",  # as root it would turn into another, who may not read this
            "log_type error",
            f"persistence {'true' if autosave else 'false'}",
            f"persistence_location {directory}/",
        ]
        if autosave:
            lines += ["autosave_on_changes true", "autosave_interval 1"]
        (directory / "mosquitto.conf").write_text("\n".join(lines) + "\n")

    def command(self) -> list[str]:
        return [str(mosquitto()), "-c", str(self.directory / "mosquitto.conf")]


class Amqtt(Served):
    """The other broker in Python, whose sessions live in memory."""

    def __init__(self, directory: Path, secrets: dict[str, str], base: str) -> None:
        super().__init__(directory, secrets, base)
        site = {"port": self.port, "base": base, "secrets": secrets}
        (directory / "site.json").write_text(json.dumps(site))

    def command(self) -> list[str]:
        return [str(amqtt()), str(HERE / "served_amqtt.py"), str(self.directory)]


class Sink(Served):
    """No broker: what the load could do if there were no work."""

    def command(self) -> list[str]:
        return [sys.executable, str(HERE / "broker_sink.py"), str(self.port)]


def mosquitto() -> str | None:
    """Where Mosquitto is; None when it is not installed."""
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def amqtt() -> Path | None:
    """An interpreter that has amqtt, from the dependency group `peers`; None when there is none."""
    for python in _AMQTT:
        looking = [str(python), "-c", "import amqtt.broker"]
        if (
            python.exists()
            and not subprocess.run(looking, capture_output=True, check=False).returncode
        ):
            return python
    return None


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
