"""The two tools that talk to a board, behind one interface: mpremote, and where that finds no way in, ampy."""

import importlib.util
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from doorward.flash import process
from doorward.flash.errors import FlashError, NoPrompt, ScriptFailed, Unplugged

# Nothing that a board does takes so long without a word; and its answer to the first question, not half of it.
_SILENCE_S = 90.0
_FIRST_S = 15.0
# What both say when nobody answers to ^C and ^A (micropython#16142).
_NO_PROMPT = re.compile(r"could not enter raw repl", re.IGNORECASE)
_GONE = re.compile(
    r"SerialException|Input/output error|failed to access|device (disconnected|not configured)"
    r"|Bad file descriptor|No such file or directory: '/dev|could not open port|\(6, |Errno 6\b"
)
# A traceback of the board's: its scripts come from there.
_RAISED = re.compile(
    r'File "<stdin>".*\n(?P<last>[A-Za-z]+(?:Error|Exception|Interrupt)\b.*)', re.DOTALL
)
# A board whose reset is wired to the port's control lines has started by then.
_AMPY_DELAY_S = 1.5


class Tool(Protocol):
    """A way to a board's prompt."""

    name: str

    def run(
        self,
        *scripts: str,
        fresh: bool = False,
        on_output: Callable[[str], None] | None = None,
    ) -> str:
        """Run scripts on the board and return what they print; fresh: after a soft reset, which empties its heap.

        Raises NoPrompt, ScriptFailed, Unplugged, or FlashError.
        """


def chosen(port: str, wanted: str | None = None) -> list[Tool]:
    """The tools that are installed, the better one first; `wanted` names the only one. Raises FlashError."""
    known: list[Tool] = [Mpremote(port), Ampy(port)]
    there = [
        tool
        for tool in known
        if wanted in (None, tool.name) and importlib.util.find_spec(tool.name) is not None
    ]
    if not there:
        raise FlashError(
            f"{wanted or 'mpremote'} is not installed",
            "run ./flash.sh, or install doorward[flash]",
            field="with",
        )
    return there


class Mpremote:
    """MicroPython's own."""

    name = "mpremote"

    def __init__(self, port: str) -> None:
        self._port = port

    def run(
        self,
        *scripts: str,
        fresh: bool = False,
        on_output: Callable[[str], None] | None = None,
    ) -> str:
        """As Tool has it, all in one connection."""
        with _files(scripts) as paths:
            words = [] if fresh else ["resume"]
            for path in paths:
                words += ["run", str(path), "+"]
            command = [sys.executable, "-m", "mpremote", "connect", self._port, *words[:-1]]
            return _call(self._port, command, on_output, fresh=fresh)


class Ampy:
    """Slower, and it waits before it types: for boards that are reset when their port is opened."""

    name = "ampy"

    def __init__(self, port: str) -> None:
        self._port = port

    def run(
        self,
        *scripts: str,
        fresh: bool = False,
        on_output: Callable[[str], None] | None = None,
    ) -> str:
        """As Tool has it. Each script has a connection of its own, and begins with a soft reset."""
        way = ["--port", self._port, "--delay", str(_AMPY_DELAY_S)]
        with _files(scripts) as paths:
            return "".join(
                _call(
                    self._port,
                    [sys.executable, "-m", "ampy.cli", *way, "run", str(path)],
                    on_output,
                    fresh=fresh,
                )
                for path in paths
            )


@contextmanager
def _files(scripts: Sequence[str]) -> Iterator[list[Path]]:
    """Scripts as files for their owner alone: they may hold what a board keeps secret."""
    with tempfile.TemporaryDirectory(prefix="doorward-") as folder:
        paths = []
        for number, script in enumerate(scripts):
            path = Path(folder) / f"{number}.py"
            path.touch(mode=0o600)
            path.write_text(script)
            paths.append(path)
        yield paths


def _call(
    port: str, command: list[str], on_output: Callable[[str], None] | None, *, fresh: bool
) -> str:
    patience_s = _FIRST_S if fresh else _SILENCE_S
    return _checked(port, *process.call(command, patience_s=patience_s, on_output=on_output))


def _checked(port: str, status: int | None, said: str) -> str:
    """What a tool has said, when it went well; else whose fault it was."""
    if status == 0:
        return said
    if not Path(port).exists():
        raise Unplugged(port)
    raised = _RAISED.search(said.replace("\r\n", "\n"))
    if raised is not None:
        raise ScriptFailed(raised["last"].strip().splitlines()[-1])
    if status is None or _NO_PROMPT.search(said):
        raise NoPrompt(f"{port} does not answer as MicroPython does", field="port")
    if _GONE.search(said):
        raise Unplugged(port)
    last = said.strip().splitlines()[-1] if said.strip() else f"status {status}"
    raise FlashError(f"the tool failed: {last}", "run the same again", field="port")
