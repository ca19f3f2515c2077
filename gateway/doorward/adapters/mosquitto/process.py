"""The process of our Mosquitto: started, found and ended by us, whatever others run on this machine.

Ours is the one whose number stands in our pid file and that was started with our configuration. It is held by a pidfd
while we look at it, so that no signal ever reaches a process that only came by its number.
"""

import contextlib
import os
import select
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from doorward.adapters.mosquitto.configuration import Listeners
from doorward.adapters.mosquitto.places import Places
from doorward.errors import Conflict, PortInUse, StartupError, Unavailable

_START_S = 10.0
_STOP_S = 10.0
_LOOK_S = 0.02
_KNOCK_S = 2.0
_LAST_WORDS = 4096


class Process:
    """Our Mosquitto, whether it runs or not."""

    def __init__(self, places: Places, listeners: Listeners) -> None:
        self._places = places
        self._listeners = listeners

    def pid(self) -> int | None:
        """The number of the process, None while it does not run."""
        with self._held() as held:
            return held[0] if held else None

    def start(self, program: Path) -> int:
        """Run it beside us; returns its number when it answers everywhere.

        Raises Conflict when it runs already, PortInUse, and StartupError with its last words.
        """
        pid = self.pid()
        if pid is not None:
            raise Conflict(f"Mosquitto runs already (process {pid})", "there is nothing to do")
        for name, (host, port) in self._listeners.named.items():
            _check_free(name, host, port)
        self._places.pid.unlink(missing_ok=True)
        begun = self._places.log.stat().st_size if self._places.log.exists() else 0
        started = self._spawn(program)
        deadline = time.monotonic() + _START_S
        while not (self.pid() == started and all(self.answers().values())):
            if _gone(started) or time.monotonic() > deadline:
                self._end(started)
                raise StartupError(
                    f"Mosquitto did not start: {self._last_words(begun)}",
                    f"look into {self._places.log}",
                )
            time.sleep(_LOOK_S)
        self._places.pid.chmod(0o600)
        return started

    def stop(self) -> bool:
        """End it, and return when it has ended and its database is written. False when it did not run."""
        with self._held() as held:
            if held is None:
                return False
            pid, descriptor = held
            signal.pidfd_send_signal(descriptor, signal.SIGTERM)
            if not select.select([descriptor], [], [], _STOP_S)[0]:
                raise Unavailable(
                    f"Mosquitto (process {pid}) does not end", f"look into {self._places.log}"
                )
            _reap(pid)
        self._places.pid.unlink(missing_ok=True)
        return True

    def tell(self, number: signal.Signals) -> bool:
        """Send it a signal: SIGHUP reads certificates and revocation list again. False when it does not run."""
        with self._held() as held:
            if held is None:
                return False
            signal.pidfd_send_signal(held[1], number)
            return True

    def answers(self) -> dict[str, bool]:
        """Whether somebody takes connections, by listener. Ask for `pid` first: it may be somebody else."""
        return {name: _listens(host, port) for name, (host, port) in self._listeners.named.items()}

    @contextmanager
    def _held(self) -> Iterator[tuple[int, int] | None]:
        """Its number and a pidfd of it, None while it does not run."""
        try:
            pid = int(self._places.pid.read_text())
            descriptor = os.pidfd_open(pid)
        except (OSError, ValueError, OverflowError):
            yield None
            return
        try:
            # Only now: what is found out about this number is about the process that we hold.
            yield (pid, descriptor) if self._is_ours(pid) else None
        finally:
            os.close(descriptor)

    def _is_ours(self, pid: int) -> bool:
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return os.fsencode(self._places.configuration) in words and not _gone(pid)

    def _spawn(self, program: Path) -> int:
        # A session of its own: a Ctrl-C in our terminal is not for it.
        command = [str(program), "-c", str(self._places.configuration)]
        log = str(self._places.log)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        return os.posix_spawn(
            program,
            command,
            {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, log, flags, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )

    def _end(self, pid: int) -> None:
        """Our own child that never became what it was to be."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)

    def _last_words(self, since: int) -> str:
        """What its log says of this start: the first error, or the first line."""
        try:
            with self._places.log.open("rb") as file:
                file.seek(since)
                lines = file.read()[-_LAST_WORDS:].decode(errors="replace").splitlines()
        except OSError:
            lines = []
        bad = [line for line in lines if "Error" in line] or lines or ["it says nothing"]
        return bad[0].partition(": ")[2] or bad[0]


def _check_free(name: str, host: str, port: int) -> None:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            raise PortInUse(
                f"port {port} ({name}) is in use: another Mosquitto, or doorward's own broker",
                "stop what holds it, or choose another in [mqtt] and run setup again",
            ) from error


def _listens(host: str, port: int) -> bool:
    with socket.socket() as knock:
        knock.settimeout(_KNOCK_S)
        return knock.connect_ex((host, port)) == 0


def _gone(pid: int) -> bool:
    """Whether it has ended; one whose parent has not noticed yet has, too."""
    _reap(pid)
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state in {"Z", "X"}


def _reap(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
