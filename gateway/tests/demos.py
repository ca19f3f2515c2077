"""A demo (or a gateway) as its user starts it: a process, its ports, its directory, and commands that speak to it."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import forked
import httpx
from ports import free_port_base

_START_S = 120.0
_STOP_S = 20.0
PYTHON = (sys.executable, "-m", "doorward")


class Demo:
    """`doorward demo` from start to Ctrl-C, and commands that ask it.

    doorward: the command, start: what starts it, where they are what is tested. Otherwise all is forked.
    """

    def __init__(
        self,
        data: Path,
        *,
        words: Sequence[str] = ("demo",),
        doorward: Sequence[str] = (),
        start: Sequence[str] = (),
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.data = data
        self.port_base = free_port_base()
        self._doorward = tuple(doorward)
        self._words = tuple(words)
        self._start = tuple(start) or (self._doorward and (*self._doorward, *words))
        self._cwd = cwd
        self._environment = {**os.environ, **(environment or {})}
        self._log = data.with_name(f"{data.name}.log")

    def __enter__(self) -> Self:
        options = ["--port-base", str(self.port_base), "--data", str(self.data), "--json"]
        with self._log.open("wb") as log:
            # A session of its own, so that whatever it leaves behind can be found by it.
            self.process = self._started(options, log)
        try:
            self.ready: str = json.loads(self._first_line())["message"]
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def _started(
        self, options: list[str], log: IO[bytes]
    ) -> "subprocess.Popen[bytes] | forked.Forked":
        where: dict[str, Any] = {"cwd": self._cwd, "env": self._environment}
        where |= {"stdout": subprocess.PIPE, "stderr": log}
        if not self._start:
            return forked.Forked([*self._words, *options], session=True, **where)
        return subprocess.Popen(
            [*self._start, *options],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            **where,
        )

    def online(self) -> Self:
        """Wait until every board has said hello."""
        deadline = time.monotonic() + _START_S
        while not all(door["online"] for door in self.read("doors")):
            assert time.monotonic() < deadline, f"{self.log()}\n{self.board_log()}"
            time.sleep(0.2)
        return self

    def _first_line(self) -> bytes:
        """What it prints when everything runs."""
        out = self.process.stdout
        assert out is not None
        started = time.monotonic()
        while not select.select([out], [], [], 0.2)[0]:
            assert time.monotonic() - started < _START_S, (
                f"no demo after {_START_S} s: {self.log()}"
            )
        line: bytes = out.readline()
        assert line, f"the demo ended: {self.log()}"
        return line

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.interrupt()
        assert self.process.stdout is not None
        self.process.stdout.close()
        for pid in self.leftovers():
            os.kill(pid, signal.SIGKILL)

    def interrupt(self) -> int:
        """Ctrl-C, as a terminal sends it: to every process of the foreground group. Returns the exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(_STOP_S)

    def leftovers(self) -> list[int]:
        """The processes of its session, or started for its directory, that still run."""
        return [int(entry.name) for entry in Path("/proc").iterdir() if self._is_ours(entry)]

    def _is_ours(self, entry: Path) -> bool:
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            return False
        try:
            state, _, _, session = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
            command = (entry / "cmdline").read_bytes()
        except OSError:
            return False
        named = os.fsencode(self.data) in command
        return state != "Z" and (int(session) == self.process.pid or named)

    def log(self) -> str:
        """What it wrote to stderr."""
        return self._log.read_text(errors="replace")

    def board_log(self, board: str = "front") -> str:
        """The last that a board wrote to its console."""
        return "\n".join(self.lab(op="log", board=board)["lines"][-12:])

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run one command against this demo."""
        words = (*words, "--data", str(self.data))
        if not self._doorward:
            return forked.run(words, cwd=self._cwd, env=self._environment)
        return subprocess.run(
            [*self._doorward, *words],
            capture_output=True,
            text=True,
            cwd=self._cwd,
            env=self._environment,
            timeout=60,
            check=False,
        )

    def ask(self, *words: str) -> Any:
        """Run one command that must succeed; returns its JSON."""
        done = self.run(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def read(self, path: str) -> Any:
        """GET from the local API: what a test has to look at again and again needs no process each time."""
        transport = httpx.HTTPTransport(uds=str(self.data / "run" / "api.sock"))
        with httpx.Client(transport=transport, base_url="http://doorward/api/v1/") as client:
            return client.get(path).raise_for_status().json()

    def lab(self, **order: object) -> dict[str, Any]:
        """Ask the virtual hardware itself: the witness that believes no software."""
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(self.data / "run" / "lab.sock"))
            line.sendall(json.dumps(order).encode() + b"\n")
            with line.makefile() as answer:
                reply: dict[str, Any] = json.loads(answer.readline())
        assert reply["ok"], reply
        return reply

    def card(self, name: str) -> str:
        """The UID of a card of the site, in hex."""
        uid: str = self.lab(op="cards")["cards"][name]
        return uid

    def openings(self, board: str = "front", pin: int = 25) -> int:
        """How often the strike of a board was energised so far."""
        edges = self.lab(op="edges", board=board)["edges"]
        return sum(edge["pin"] == pin and edge["level"] == 1 for edge in edges)

    def audit(self, kind: str = "access.decision") -> list[dict[str, Any]]:
        """The audit's rows of one kind, newest first."""
        return [row for row in self.read("audit?limit=500") if row["kind"] == kind]

    def show(self, card: str) -> None:
        """Hold a card to the reader, once the last one is gone."""
        while any(board["card_present"] for board in self.lab(op="boards")["boards"]):
            time.sleep(0.05)
        self.ask("lab", "tap", "front", "--card", card)

    def tap(self, card: str) -> dict[str, Any]:
        """Show a card that the reader looks at; returns the audit row that it led to."""
        before = len(self.online().audit())
        self.show(card)
        deadline = time.monotonic() + _START_S
        while len(rows := self.audit()) == before:
            assert time.monotonic() < deadline, f"no decision about {card}: {self.log()}"
            time.sleep(0.1)
        return rows[0]
