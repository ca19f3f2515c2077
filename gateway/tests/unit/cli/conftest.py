"""A gateway's local API that answers what a test tells it to, over a real Unix socket."""

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from doorward.cli.root import run


class LocalApi(socketserver.ThreadingUnixStreamServer):
    """Answers by (method, path without query); each answer is a status and a body, the last one stays."""

    daemon_threads = True

    def __init__(self, data: Path) -> None:
        self.data = data
        self.answers: dict[tuple[str, str], list[tuple[int, object]]] = {}
        self.asked: list[tuple[str, str, object]] = []
        (data / "run").mkdir(parents=True)
        super().__init__(str(data / "run" / "api.sock"), _Handler)

    def answer(self, method: str, path: str, body: object, status: int = 200) -> None:
        self.answers.setdefault((method, f"/api/v1/{path}"), []).append((status, body))


class _Handler(BaseHTTPRequestHandler):
    server: LocalApi

    def handle_one(self) -> None:
        length = int(self.headers.get("content-length", 0))
        body = json.loads(self.rfile.read(length)) if length else None
        self.server.asked.append((self.command, self.path, body))
        queue = self.server.answers[self.command, self.path.partition("?")[0]]
        status, answer = queue.pop(0) if len(queue) > 1 else queue[0]
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        if content:  # after an answer without a body the other side may be gone
            self.wfile.write(content)

    do_GET = do_POST = handle_one  # noqa: N815 - the names http.server calls

    def address_string(self) -> str:
        return "local"

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def api(tmp_path: Path) -> Iterator[LocalApi]:
    with LocalApi(tmp_path / "data") as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def call(api: LocalApi, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs a command against that API: its exit code, stdout and stderr."""

    def call(*words: str) -> tuple[int, str, str]:
        code = run([*words, "--data", str(api.data)])
        out, err = capsys.readouterr()
        return code, out, err

    return call
