"""The gateway's REST API over its local Unix socket, whose file permissions are the authority: no password travels."""

import json
import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from doorward.cli.failure import UNREACHABLE, Failure
from doorward.cli.options import chosen_directory, running_demo, socket_of

# The gateway answers in milliseconds; a longer silence means that it hangs.
_TIMEOUT_S = 10.0
# A broker that runs alone loads its API when it is first asked: a small or busy machine takes its time.
_LOADING_S = 60.0
_NO_ADDRESS = "check the address"  # commands mistype none: this API has a part of a gateway's alone
_SILENCE_S = 40.0  # a stream says every 15 s that it is there


class Api:
    """One command's connection to the gateway. Every failure is a `Failure` with the line to print."""

    def __init__(
        self, data: Path | None, *, demo: bool = False, timeout_s: float = _TIMEOUT_S
    ) -> None:
        """Speak to the gateway of directory `data`; `demo` prefers a demo's when none is named."""
        self.directory = chosen_directory(data, demo=demo)
        self._demo = demo
        self._named = data is not None
        self._http = httpx.Client(
            transport=httpx.HTTPTransport(uds=str(socket_of(self.directory))),
            base_url="http://doorward/api/v1/",
            timeout=max(timeout_s, _LOADING_S) if _is_broker(self.directory) else timeout_s,
        )

    def __enter__(self) -> Self:
        """Knock first: the kernel's answer tells who is missing better than an HTTP library does."""
        path = socket_of(self.directory)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knock:
            try:
                knock.connect(str(path))
            except PermissionError as error:
                raise Failure(
                    f"{path} belongs to another user; run this as the user who runs the gateway",
                    code="not_permitted",
                    exit_code=UNREACHABLE,
                ) from error
            except OSError as error:
                raise self._nobody() from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def get(self, path: str, **query: str | int | None) -> Any:
        """GET with the parameters that are not None."""
        wanted = {name: value for name, value in query.items() if value is not None}
        return self._ask("GET", path, params=wanted)

    def lines(self, path: str, **query: str | int | None) -> Iterator[str]:
        """GET something that goes on, line by line. A silence that is too long for it to be there ends it as well."""
        wanted = {name: value for name, value in query.items() if value is not None}
        return self._lines("GET", path, params=wanted)

    def save(self, path: str, target: Path, **query: str | None) -> int:
        """GET into a new file for its owner's eyes, there as a whole or not at all; returns its bytes."""
        wanted = {name: value for name, value in query.items() if value is not None}
        draft = target.with_name(f".{target.name}.part")
        try:
            with (
                self._http.stream("GET", path, params=wanted) as response,
                open(draft, "wb", opener=_private) as file,
            ):
                if not response.is_success:
                    response.read()
                    _answer(response)
                file.writelines(response.iter_bytes())
                size = file.tell()
            draft.replace(target)
        except httpx.TransportError as error:
            raise self._nobody() from error
        except OSError as error:
            raise Failure(
                f"{error.filename or target} cannot be written ({error.strerror})", field="out"
            ) from error
        finally:
            draft.unlink(missing_ok=True)
        return size

    def post(self, path: str, body: Mapping[str, object] | None = None) -> Any:
        """POST a JSON body."""
        return self._ask("POST", path, json=dict(body or {}))

    def post_for_lines(self, path: str, body: Mapping[str, object]) -> Iterator[Any]:
        """POST a JSON body, and return what comes back, a JSON value a line; an empty line is a sign of life."""
        accept = {"Accept": "application/jsonl"}
        for line in self._lines("POST", path, json=dict(body), headers=accept):
            if line:
                yield json.loads(line)

    def _lines(self, method: str, path: str, **how: Any) -> Iterator[str]:
        try:
            with self._http.stream(method, path, timeout=_SILENCE_S, **how) as response:
                if not response.is_success:
                    response.read()
                    self._answer(response)
                yield from response.iter_lines()
        except httpx.TransportError as error:
            raise self._nobody() from error

    def _ask(self, method: str, path: str, **how: Any) -> Any:
        try:
            response = self._http.request(method, path, **how)
        except httpx.TimeoutException as error:
            raise Failure(
                f"the gateway in {self.directory} does not answer; see its log, or restart it",
                code="timeout",
                exit_code=UNREACHABLE,
            ) from error
        except httpx.InvalidURL as error:
            raise Failure("that is too long for a question to the gateway; shorten it") from error
        except httpx.TransportError as error:
            raise self._nobody() from error
        return self._answer(response)

    def _nobody(self) -> Failure:
        return _nobody(self.directory, demo=self._demo, named=self._named)

    def _answer(self, response: httpx.Response) -> Any:
        try:
            return _answer(response)
        except Failure as failure:
            if failure.message.endswith(_NO_ADDRESS) and _is_broker(self.directory):
                raise Failure(
                    f"in {self.directory} a broker runs alone, without doors, boards and people; name the "
                    "directory of a gateway with --data",
                    code=failure.code,
                ) from failure
            raise


def _is_broker(directory: Path) -> bool:
    """True for the directory of `broker run`, which is no gateway's."""
    return (directory / "broker.db").exists() and not (directory / "gateway.db").exists()


def part(name: str) -> str:
    """A name as one part of a path."""
    return quote(name, safe="")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _nobody(directory: Path, *, demo: bool, named: bool) -> Failure:
    """Nothing answers in `directory`, which was named, or is where one looks when nothing is said.

    A demo that runs elsewhere is most likely what was meant.
    """
    what, start = ("demo", "`doorward demo`") if demo else ("gateway", "`doorward up`")
    elsewhere = running_demo()
    if elsewhere is not None and elsewhere != directory and _answers(socket_of(elsewhere)):
        remedy = f"a demo runs; use --data {elsewhere}"
    elif named and not directory.exists():
        remedy = "there is no such directory; look at what you gave as --data"
    elif named:
        remedy = f"start it with {start[:-1]} --data {directory}`"
    elif demo:
        remedy = f"start one with {start}, or name another with --data"
    else:
        remedy = (
            f"start it with {start}, or a demo with `doorward demo`, or name another with --data"
        )
    return Failure(
        f"no {what} runs in {directory}; {remedy}", code="not_running", exit_code=UNREACHABLE
    )


def _answers(path: Path) -> bool:
    """Whether somebody listens there: a socket's file outlives a killed gateway."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knock:
        return knock.connect_ex(str(path)) == 0


def _answer(response: httpx.Response) -> Any:
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if response.is_success:
        return answer
    error = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(error, dict):
        raise Failure(
            f"the gateway answered {response.status_code} without a reason; see its log",
            code="unexpected",
        )
    raise Failure(
        str(error.get("message", "refused")),
        code=str(error.get("code", "refused")),
        field=error.get("field"),
    )
