"""The signer as a process and a user of its own: the gateway lets doors open, and cannot read one key.

Real processes under three real users, so it takes root to run this; everything else about the socket is tested
without (unit/signer/test_remote_signer.py).
"""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from ports import free_port_base
from stage.house import MEMBER, furnish
from stage.online import OnlineBoard
from stage.secrets import Enrolment

SIGNER, GATEWAY, STRANGER = 64001, 64002, 64003
_START_S = 30.0


def _as(uid: int, *groups: int) -> tuple[str, ...]:
    """What to put before a command so that it runs as `uid`, in the group of that number and in `groups`."""
    more = ("--groups", ",".join(map(str, groups))) if groups else ("--clear-groups",)
    return ("setpriv", "--reuid", str(uid), "--regid", str(uid), *more, "--")


def _why_not() -> str | None:
    if os.geteuid() != 0:
        return "takes root: it runs processes as other users"
    if shutil.which("setpriv") is None:
        return "there is no setpriv on this machine"
    tried = subprocess.run(
        (*_as(GATEWAY), sys.executable, "-c", "import doorward"), capture_output=True, check=False
    )
    return None if tried.returncode == 0 else "another user cannot run this interpreter"


_REASON = _why_not()
pytestmark = pytest.mark.skipif(_REASON is not None, reason=_REASON or "")


class Place(NamedTuple):
    """Three directories, as a package would make them."""

    keys: Path
    socket: Path
    data: Path

    def environment(self) -> dict[str, str]:
        return {**os.environ, "DOORWARD_SIGNER_SOCKET": str(self.socket), "HOME": str(self.data)}


def _own(path: Path, uid: int, gid: int) -> None:
    for one in (path, *path.rglob("*")):
        os.chown(one, uid, gid)


@pytest.fixture
def place() -> Iterator[Place]:
    root = Path(tempfile.mkdtemp(prefix="doorward-"))
    root.chmod(0o755)
    place = Place(root / "keys", root / "run" / "s", root / "data")
    place.data.mkdir(mode=0o700)
    place.socket.parent.mkdir()
    place.socket.parent.chmod(0o750)
    _own(place.socket.parent, SIGNER, GATEWAY)
    yield place
    shutil.rmtree(root)


@pytest.fixture
def enrolment(place: Place) -> Enrolment:
    made = asyncio.run(furnish(place.data))
    (place.data / "signer").rename(place.keys)
    _own(place.keys, SIGNER, SIGNER)
    _own(place.data, GATEWAY, GATEWAY)
    return made


class Process:
    """One of our commands, under a user, until `end`."""

    def __init__(self, who: tuple[str, ...], place: Place, *arguments: str) -> None:
        self.log = (place.data.parent / f"{arguments[0]}.log").open("ab")
        self.process = subprocess.Popen(
            (*who, sys.executable, "-m", "doorward", *arguments),
            stdout=subprocess.PIPE,
            stderr=self.log,
            env=place.environment(),
        )
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline().decode()

    @property
    def pid(self) -> int:
        return self.process.pid

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(_START_S)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.log.close()
        return code


def start_signer(place: Place) -> Process:
    where = ("--keys", str(place.keys), "--socket", str(place.socket))
    who = ("--allow", str(GATEWAY), "--group", str(GATEWAY))
    started = Process(_as(SIGNER, GATEWAY), place, "signer", *where, *who)
    assert "the signer listens" in started.said
    return started


@pytest.fixture
def signer(place: Place, enrolment: Enrolment) -> Iterator[Process]:
    started = start_signer(place)
    yield started
    started.end()


def run_as(who: tuple[str, ...], code: str, *arguments: object) -> Any:
    """What a small program prints, as JSON, when a user runs it."""
    command = (*who, sys.executable, "-c", code, *map(str, arguments))
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=_START_S)
    return json.loads(done.stdout)


READ = """
import json, sys
from pathlib import Path
said = {}
for name in sys.argv[1:]:
    try:
        said[Path(name).name] = len(Path(name).read_bytes()) > 0
    except OSError as error:
        said[Path(name).name] = type(error).__name__
print(json.dumps(said))
"""

SPY = """
import ctypes, json, os, sys
pid = int(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
said = {}
for name in ("mem", "maps", "environ"):
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            said[name] = name == "mem" or len(file.read()) > 0
    except OSError as error:
        said[name] = type(error).__name__
if libc.ptrace(16, pid, None, None) == 0:  # PTRACE_ATTACH
    os.waitpid(pid, 0x40000000)  # __WALL
    said["ptrace"] = True
    libc.ptrace(17, pid, None, None)  # PTRACE_DETACH
else:
    said["ptrace"] = os.strerror(ctypes.get_errno())
print(json.dumps(said))
"""

USE = """
import json, sys
from pathlib import Path
from doorward.errors import DoorwardError
from doorward.signer.remote import RemoteSigner
try:
    print(json.dumps(len(RemoteSigner(Path(sys.argv[1])).seal("front", "config", "c:1", b"{}"))))
except DoorwardError as error:
    print(json.dumps(error.code))
"""


def test_the_gateway_can_use_every_key_and_read_none(place: Place, signer: Process) -> None:
    files = sorted(place.keys.iterdir())
    names = {path.name for path in files}
    assert names >= {"ca.pem", "ca.crl", "audit.pem", "front.key"}
    assert set(run_as(_as(SIGNER), READ, *(p for p in files if p.suffix != ".lock")).values()) == {
        True
    }, "the control: the signer's own user reads them all"
    refused = run_as(_as(GATEWAY), READ, *files)
    assert refused == dict.fromkeys(names, "PermissionError")
    assert run_as(_as(GATEWAY), USE, place.socket) > 40


def test_nobody_but_the_gateway_is_answered(place: Place, signer: Process) -> None:
    assert run_as(_as(GATEWAY), USE, place.socket) > 40
    assert run_as(_as(STRANGER), USE, place.socket) == "signing_unavailable"
    # In the group, so that the socket opens: the uid is refused nevertheless.
    assert run_as(_as(STRANGER, GATEWAY), USE, place.socket) == "signing_unavailable"
    assert f"uid={STRANGER}" in (place.data.parent / "signer.log").read_text()


def test_its_memory_is_closed_to_the_gateway_and_to_its_own_user(signer: Process) -> None:
    for uid in (GATEWAY, SIGNER):
        # It speaks once it is what it will be: until then it changes its user, and is closed to everybody.
        idle = ("sh", "-c", "echo there; exec sleep 60")
        other = subprocess.Popen((*_as(uid), *idle), stdout=subprocess.PIPE)
        try:
            assert other.stdout is not None
            assert other.stdout.readline()
            open_to = run_as(_as(uid), SPY, other.pid)
        finally:
            other.kill()
            other.communicate()
        if open_to["ptrace"] is not True:
            pytest.skip(f"this machine lets nobody trace anything: {open_to}")
        assert open_to["mem"] is True, "the control: one may look into a process of one's own"
        refused = run_as(_as(uid), SPY, signer.pid)
        assert refused["ptrace"] == "Operation not permitted"
        assert refused["mem"] == refused["maps"] == refused["environ"] == "PermissionError"


def test_it_loads_no_web_server_no_broker_and_no_database(signer: Process) -> None:
    """What is not loaded cannot be attacked. Root sees what the process has mapped and opened."""
    code = "import json, sys, doorward.signer.process; print(json.dumps(sorted(sys.modules)))"
    loaded = set(run_as(_as(SIGNER), code))
    unwanted = {"fastapi", "uvicorn", "sqlalchemy", "sqlcipher3", "paho", "jinja2", "argon2"}
    assert not loaded & (unwanted | {"doorward.web", "doorward.broker", "doorward.database"})
    assert "cryptography" in loaded
    mapped = Path(f"/proc/{signer.pid}/maps").read_text()
    assert "sqlcipher" not in mapped
    assert "Internet" not in _sockets(signer.pid)


def _sockets(pid: int) -> str:
    """The kinds of sockets that a process has open."""
    opened = [str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()]
    inodes = {name[8:-1] for name in opened if name.startswith("socket:")}
    tables = [Path(f"/proc/net/{name}").read_text() for name in ("tcp", "tcp6", "udp", "udp6")]
    rows = [line.split() for table in tables for line in table.splitlines()[1:]]
    return "Internet" if any(row[9] in inodes for row in rows if len(row) > 9) else "Unix"


def test_a_second_signer_of_the_same_keys_is_refused(place: Place, signer: Process) -> None:
    where = ("--keys", str(place.keys), "--socket", str(place.socket.with_name("t")))
    second = Process(_as(SIGNER, GATEWAY), place, "signer", *where)
    code = second.end()
    assert (second.said, code) == ("", 1)
    assert "another signer uses" in (place.data.parent / "signer.log").read_text()
    assert run_as(_as(GATEWAY), USE, place.socket) > 40


def test_it_ends_on_a_signal_and_takes_its_socket_along(place: Place, enrolment: Enrolment) -> None:
    started = start_signer(place)
    assert place.socket.stat().st_mode & 0o777 == 0o660
    assert started.end() == 0
    assert not place.socket.exists()


def test_a_gateway_without_its_signer_does_not_start_and_says_so(
    place: Place, enrolment: Enrolment
) -> None:
    up = Process(_as(GATEWAY), place, "up", "--data", str(place.data), "--port-base", "1")
    code = up.end()
    assert (up.said, code) == ("", 1)
    assert "signing unavailable" in (place.data.parent / "up.log").read_text()
    assert not (place.data / "signer").exists(), "and it made no keys of its own"


async def _signer_check(data: Path) -> dict[str, Any]:
    transport = httpx.AsyncHTTPTransport(uds=str(data / "run" / "api.sock"))
    async with httpx.AsyncClient(transport=transport, base_url="http://doorward/api/v1") as client:
        checks: list[dict[str, Any]] = (await client.get("/health")).json()["checks"]
    return next(check for check in checks if check["name"] == "signer")


async def _granted(board: OnlineBoard) -> bool:
    answer = json.loads(await board.tap(MEMBER, os.urandom(16)))
    return bool(answer["access_granted"])


async def test_doors_open_through_it_and_again_after_it_was_killed(
    place: Place, enrolment: Enrolment
) -> None:
    signer = start_signer(place)
    port = free_port_base()
    up = Process(_as(GATEWAY), place, "up", "--data", str(place.data), "--port-base", str(port))
    try:
        assert "doorward is up" in up.said
        async with OnlineBoard(enrolment, port + 2) as board:
            assert await _granted(board)
            assert (await _signer_check(place.data))["ok"] is True
            signer.end(signal.SIGKILL)
            board.publish("access/request", board.script.ask(MEMBER, os.urandom(16)))
            await asyncio.sleep(0.5)
            check = await _signer_check(place.data)
            assert (check["ok"], check["remedy"]) == (False, "start `doorward signer`")
            signer = start_signer(place)
            assert await _granted(board), "by the same connection of the same board"
            assert (await _signer_check(place.data))["ok"] is True
        assert not (place.data / "signer").exists(), "the gateway made no keys of its own"
    finally:
        assert up.end() == 0
        signer.end()


def test_what_it_issues_is_on_its_log_and_no_secret_is(place: Place, signer: Process) -> None:
    code = (
        "import json, sys; from pathlib import Path; from doorward.signer.remote import RemoteSigner;"
        "made = RemoteSigner(Path(sys.argv[1])).adopt('side'); print(json.dumps([made.secret, made.key]))"
    )
    secrets = run_as(_as(GATEWAY), code, place.socket)
    log = (place.data.parent / "signer.log").read_text()
    assert "signer.asked" in log
    assert '["side"]' in log
    assert not [secret for secret in secrets if secret in log]


def test_no_core_file_of_it_is_ever_written(signer: Process) -> None:
    limits = Path(f"/proc/{signer.pid}/limits").read_text().splitlines()
    [core] = [line for line in limits if line.startswith("Max core file size")]
    assert core.split()[4:6] == ["0", "0"]
