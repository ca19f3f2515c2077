"""What systemd hears of us, witnessed by a socket of our own; and whether the units say what they promise."""

import asyncio
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from doorward import config
from doorward.runtime.gateway import Gateway
from doorward.runtime.process.systemd import Manager

DEPLOY = Path(__file__).resolve().parents[5] / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))
ANALYZE = shutil.which("systemd-analyze")
MOST_EXPOSURE = 1.5  # what docs/operations.md promises; systemd calls everything below 2 “OK”
PATIENCE_S = 0.8


class Witness:
    """Listens where systemd would, in a thread of its own: what hangs cannot hinder it."""

    def __init__(self, path: Path) -> None:
        self.heard: list[tuple[float, str]] = []
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._line.bind(str(path))
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()
        self.environment = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": str(int(PATIENCE_S * 1e6))}

    def _listen(self) -> None:
        while (word := self._line.recv(100)) != b"end":
            self.heard.append((time.monotonic(), word.decode()))

    def since(self, then: float) -> list[str]:
        return [word for at, word in self.heard if at > then]

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.sendto(b"end", self._line.getsockname())
        self._thread.join()
        self._line.close()


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[Witness]:
    witness = Witness(tmp_path / "notify")
    yield witness
    witness.close()


@pytest.fixture
async def gateway(tmp_path: Path, witness: Witness) -> AsyncIterator[Gateway]:
    """One that gives signs of life."""
    ports = {"web": {"port": 0}, "mqtt": {"port": 0}}
    gateway = Gateway(config.load(tmp_path / "d", defaults=ports, environ={}))
    await gateway.start()
    sign = asyncio.create_task(Manager(witness.environment).keep_alive(gateway.answer))
    await alive(witness)
    yield gateway
    sign.cancel()
    await gateway.stop()


async def alive(witness: Witness) -> None:
    then = time.monotonic()
    async with asyncio.timeout(20):
        while not witness.since(then):  # noqa: ASYNC110 - it hears in a thread
            await asyncio.sleep(0.02)


async def silent(witness: Witness) -> None:
    """After what is under way: nothing for longer than the manager waits."""
    await asyncio.sleep(PATIENCE_S / 2)
    then = time.monotonic()
    await asyncio.sleep(PATIENCE_S * 1.5)
    assert witness.since(then) == []


async def test_a_gateway_that_works_gives_signs_of_life(gateway: Gateway, witness: Witness) -> None:
    for _ in range(3):
        await alive(witness)
    assert {word for _, word in witness.heard} == {"WATCHDOG=1"}


async def test_a_loop_that_hangs_gives_none(gateway: Gateway, witness: Witness) -> None:
    then = time.monotonic()
    time.sleep(PATIENCE_S * 2)  # noqa: ASYNC251 - that is the point
    assert witness.since(then) == []
    await alive(witness)


async def test_a_writer_that_hangs_withholds_it(gateway: Gateway, witness: Witness) -> None:
    for writer in (gateway.store._writer, gateway.broker._store._writer):  # type: ignore[attr-defined]
        hang = threading.Event()
        writer.submit(lambda _connection, hang=hang: hang.wait(60), lambda _result, _error: None)
        try:
            await silent(witness)
        finally:
            hang.set()
        await alive(witness)


async def test_a_broker_that_takes_no_connection_withholds_it(
    gateway: Gateway, witness: Witness
) -> None:
    gateway.broker._listeners.close()
    await silent(witness)


async def test_without_a_manager_nothing_is_said() -> None:
    manager = Manager({})
    manager.tell("READY=1")
    await manager.keep_alive(_never)


async def test_what_is_for_another_process_is_not_for_us(witness: Witness) -> None:
    environment = {**witness.environment, "WATCHDOG_PID": str(os.getppid())}
    await Manager(environment).keep_alive(_never)
    assert witness.heard == []


async def _never() -> None:
    raise AssertionError("nobody asked")


def test_an_abstract_socket_is_found() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(f"\0doorward-test-{os.getpid()}")
        Manager({"NOTIFY_SOCKET": f"@doorward-test-{os.getpid()}"}).tell("READY=1")
        assert line.recv(100) == b"READY=1"


def started(data: Path, witness: Witness) -> subprocess.Popen[bytes]:
    data.mkdir(mode=0o700, exist_ok=True)
    (data / "doorward.toml").write_text("[web]\nport = 0\n[mqtt]\nport = 0\n")
    # As the unit has it: no memory that is both writable and executable.
    program = (
        "import ctypes, runpy, sys; ctypes.CDLL(None).prctl(65, 1, 0, 0, 0); "
        "sys.argv[0] = 'doorward'; runpy.run_module('doorward', run_name='__main__')"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program, "up", "--data", str(data)],
        env={**os.environ, **witness.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def until(witness: Witness, word: str) -> None:
    deadline = time.monotonic() + 60
    while word not in witness.since(0):
        assert time.monotonic() < deadline, witness.heard
        time.sleep(0.05)


def test_it_is_ready_when_it_serves_and_ends_well(tmp_path: Path, witness: Witness) -> None:
    with started(tmp_path / "d", witness) as process:
        until(witness, "READY=1")
        assert process.stdout is not None
        assert select.select([process.stdout], [], [], 0)[0], "it has said where it is"
        until(witness, "WATCHDOG=1")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0, "systemd leaves it stopped"
        process.communicate()
    assert witness.since(0)[0] == "READY=1"
    assert witness.since(0)[-1] == "STOPPING=1"


def test_what_should_be_started_again_ends_as_a_failure(tmp_path: Path, witness: Witness) -> None:
    with started(tmp_path / "d", witness) as process:
        until(witness, "WATCHDOG=1")
        process.send_signal(signal.SIGABRT)  # as the watchdog does
        process.communicate()
        assert process.returncode == -signal.SIGABRT
    (tmp_path / "d" / "doorward.toml").write_text("[web]\nprot = 1\n")
    command = [sys.executable, "-m", "doorward", "up", "--data", str(tmp_path / "d")]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 1


def test_there_are_units() -> None:
    assert UNITS


@pytest.mark.skipif(ANALYZE is None, reason="this machine has no systemd-analyze")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_is_valid_and_hardened(unit: Path, tmp_path: Path) -> None:
    # It looks for the program that the unit starts: one that is there stands in for it.
    for each in UNITS:
        text = re.sub(r"(?m)^ExecStart=\S+", f"ExecStart={sys.executable}", each.read_text())
        (tmp_path / each.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", tmp_path / unit.name],
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    command = [
        "systemd-analyze",
        "security",
        "--offline=yes",
        f"--threshold={MOST_EXPOSURE * 10:.0f}",
    ]
    subprocess.run([*command, unit], capture_output=True, check=True)
    # And the tool tells: a unit without all this would be refused.
    bare = tmp_path / "bare.service"
    bare.write_text("[Service]\nExecStart=/bin/true\n")
    assert subprocess.run([*command, bare], capture_output=True, check=False).returncode != 0
