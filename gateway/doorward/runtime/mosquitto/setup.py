"""`doorward broker mosquitto`: a Mosquitto of our own, set up, started and looked after from its files."""

import signal
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from doorward.adapters.mosquitto import accounts, installed, setup
from doorward.adapters.mosquitto.configuration import Listeners, listeners_of
from doorward.adapters.mosquitto.dynsec import talk
from doorward.adapters.mosquitto.places import NAME, Places
from doorward.adapters.mosquitto.process import Process
from doorward.config import MOSQUITTO, Settings
from doorward.errors import Conflict, NotFound, StartupError, Unavailable
from doorward.runtime.keys import open_keys
from doorward.runtime.servers.server_tls import ServerTls

_FOLLOW_S = 0.25
_SAVED_S = 5.0


@dataclass(frozen=True, slots=True)
class Status:
    """What was seen. listeners: by name the port, and whether it answers; obeys: takes our account's commands."""

    pid: int | None
    listeners: dict[str, tuple[int, bool]]
    obeys: bool
    problem: str | None

    @property
    def ok(self) -> bool:
        """Whether all of it works."""
        return self.pid is not None and self.obeys and all(ok for _, ok in self.listeners.values())


def places_of(settings: Settings) -> Places:
    """Where an installation keeps its Mosquitto."""
    return Places(settings.directory / NAME)


def wanted_listeners(settings: Settings, *, websockets: bool) -> Listeners:
    """What the settings ask for. Raises StartupError for port 0, which Mosquitto cannot find out for us."""
    mqtt = settings.mqtt
    websocket = mqtt.websocket_port if websockets else None
    if 0 in {mqtt.port, mqtt.plain_port, websocket}:
        raise StartupError(
            "Mosquitto needs ports that have a number",
            "set port, plain_port and websocket_port in [mqtt]",
        )
    return Listeners(mqtt.host, mqtt.port, mqtt.plain_port, websocket)


def listeners(places: Places) -> Listeners:
    """What Mosquitto was set up with. Raises StartupError when it was not."""
    try:
        return listeners_of(places.configuration.read_text())
    except FileNotFoundError:
        raise StartupError(
            f"no Mosquitto was set up in {places.directory}",
            "run `doorward broker mosquitto setup`",
        ) from None
    except (OSError, ValueError) as error:
        raise StartupError(
            f"{places.configuration} is not ours", "run `doorward broker mosquitto setup`"
        ) from error


def check_listeners(settings: Settings, known: Listeners) -> None:
    """Raise StartupError when Mosquitto was set up for other settings than these."""
    if known != wanted_listeners(settings, websockets=known.websocket is not None):
        raise StartupError(
            "Mosquitto was set up for other ports or another address than [mqtt] says now",
            "run `doorward broker mosquitto setup`, and start it anew",
        )


async def set_up(settings: Settings, *, again: bool = False) -> Listeners:
    """Write what Mosquitto needs. Raises Conflict while it runs, StartupError for what is missing."""
    places = places_of(settings)
    found = installed.find()
    wanted = wanted_listeners(settings, websockets=found.websockets)
    pid = Process(places, wanted).pid()
    if pid is not None:
        raise Conflict(
            f"Mosquitto runs (process {pid})",
            "stop it first with `doorward broker mosquitto stop`",
        )
    # For its owner alone; a directory that is only a parent of what is made would be open to others.
    settings.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        keys = await open_keys(settings, stack)
        ServerTls(settings, keys)  # makes the server's certificate where there is none
        setup.write(
            places,
            found,
            wanted,
            base=settings.base,
            identity=settings.server_certificate,
            authority=keys.certificate(),
            revoked=keys.crl(),
            again=again,
        )
    return wanted


def start(settings: Settings) -> int:
    """Run it; returns the process's number. Raises StartupError leaves and Conflict."""
    places = places_of(settings)
    return Process(places, listeners(places)).start(installed.find().program)


def stop(settings: Settings) -> bool:
    """End it; False when it did not run."""
    places = places_of(settings)
    return Process(places, listeners(places)).stop()


def status(settings: Settings) -> Status:
    """Look at it. Raises StartupError when it was never set up."""
    places = places_of(settings)
    known = listeners(places)
    process = Process(places, known)
    pid = process.pid()
    ports = {name: port for name, (_, port) in known.named.items()}
    if pid is None:
        silent = {name: (port, False) for name, port in ports.items()}
        return Status(None, silent, False, _not_running(settings))
    answers = process.answers()
    problem = None
    try:
        with talk(known.plain, accounts.load(places.secret)) as control:
            control.command({"command": "getDefaultACLAccess"})
    except Unavailable as error:
        problem = error.message
    heard = {name: (port, answers[name]) for name, port in ports.items()}
    return Status(pid, heard, problem is None, problem)


def _not_running(settings: Settings) -> str:
    note = "it does not run; start it with `doorward broker mosquitto start`"
    if settings.broker != MOSQUITTO:
        note += f', and set broker = "{MOSQUITTO}" in doorward.toml'
    return note


def log_lines(settings: Settings, limit: int) -> list[str]:
    """The last lines of its log. Raises NotFound when it never ran."""
    path = places_of(settings).log
    try:
        return path.read_text(errors="replace").splitlines()[-limit:] if limit else []
    except FileNotFoundError:
        raise NotFound(
            f"there is no {path}", "start it with `doorward broker mosquitto start`"
        ) from None


def follow(settings: Settings) -> Iterator[str]:
    """Its log from now on, line by line, for ever. A file that is begun anew is read from its beginning."""
    path = places_of(settings).log
    position = path.stat().st_size if path.exists() else 0
    rest = b""
    while True:
        size = path.stat().st_size if path.exists() else 0
        if size < position:
            position, rest = 0, b""
        if size > position:
            with path.open("rb") as file:
                file.seek(position)
                *lines, rest = (rest + file.read()).split(b"\n")
                position = file.tell()
            yield from (line.decode(errors="replace") for line in lines)
        time.sleep(_FOLLOW_S)


def save(settings: Settings) -> None:
    """Let it write all that it holds, before a copy is made; nothing to do when it does not run."""
    places = places_of(settings)
    before = _written(places.database)
    if not Process(places, listeners(places)).tell(signal.SIGUSR1):
        return
    deadline = time.monotonic() + _SAVED_S
    while _written(places.database) == before and time.monotonic() < deadline:
        time.sleep(0.02)


def _written(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0
