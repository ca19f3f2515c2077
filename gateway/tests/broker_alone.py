"""`doorward broker run` in a process of its own, started and ended as its user does, or killed."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Self

import httpx
from demos import PYTHON
from forked import Forked, run
from ports import free_port_base

START_S = 60.0


class Running:
    """The broker alone, forked, or from an interpreter of its own as its user starts it."""

    def __init__(
        self, data: Path, *, own: bool = False, environment: dict[str, str] | None = None
    ) -> None:
        self.data = data
        self.process: Forked | subprocess.Popen[bytes]
        self._own = own
        self.port_base = free_port_base()
        self.said: list[str] = []
        self._environment = {**os.environ, **(environment or {})}
        self._log = data.with_name(f"{data.name}.log")

    def __enter__(self) -> Self:
        options = ["--port-base", str(self.port_base), "--data", str(self.data), "--json"]
        with self._log.open("wb") as log:
            words = ["broker", "run", *options]
            pipe, env = subprocess.PIPE, self._environment
            if self._own:
                self.process = subprocess.Popen([*PYTHON, *words], stdout=pipe, stderr=log, env=env)
            else:
                self.process = Forked(words, stdout=pipe, stderr=log, env=env)
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(json.loads(line)["message"])
            if "users add" in self.said[-1]:
                return self
        raise AssertionError(self._log.read_text())

    def __exit__(self, *_error: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def stop(self, how: int = signal.SIGINT) -> int:
        self.process.send_signal(how)
        return self.process.wait(START_S)

    def call(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return run([*words, "--data", str(self.data)], env={**os.environ, **environment})

    def api(self) -> httpx.Client:
        transport = httpx.HTTPTransport(uds=str(self.data / "run" / "api.sock"))
        return httpx.Client(transport=transport, base_url="http://doorward", timeout=60)
