"""The two tools that talk to a board, behind one interface: mpremote, and where that finds no way in, ampy."""

import importlib.util
import re
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

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


class Tool(ABC):
    """A way to a board's prompt."""

    name: str

    def __init__(self, port: str) -> None:
        self.port = port

    def run(self, *scripts: str, fresh: bool = False) -> str:
        """Run scripts on the board and return what they print; fresh: after a soft reset, which empties its heap.

        Raises NoPrompt, ScriptFailed, Unplugged, or FlashError.
        """
        patience_s = _FIRST_S if fresh else _SILENCE_S
        with _files(scripts) as paths:
            return "".join(
                _checked(self.port, *process.call([sys.executable, "-m", *words], patience_s))
                for words in self._calls(paths, fresh=fresh)
            )

    @abstractmethod
    def _calls(self, paths: Sequence[Path], *, fresh: bool) -> list[list[str]]:
        """The modules with their arguments that run these scripts, one after the other."""


def chosen(port: str, wanted: str | None = None) -> list[Tool]:
    """The tools that are installed, the better one first; `wanted` names the only one. Raises FlashError."""
    known: tuple[Tool, ...] = (Mpremote(port), Ampy(port))
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


class Mpremote(Tool):
    """MicroPython's own: all scripts in one connection."""

    name = "mpremote"

    def _calls(self, paths: Sequence[Path], *, fresh: bool) -> list[list[str]]:
        words = [] if fresh else ["resume"]
        for path in paths:
            words += ["run", str(path), "+"]
        return [["mpremote", "connect", self.port, *words[:-1]]]


class Ampy(Tool):
    """Slower, and it waits before it types: for boards that are reset when their port is opened.

    Each script has a connection of its own, and begins with a soft reset.
    """

    name = "ampy"

    def _calls(self, paths: Sequence[Path], *, fresh: bool) -> list[list[str]]:
        way = ["ampy.cli", "--port", self.port, "--delay", str(_AMPY_DELAY_S)]
        return [[*way, "run", str(path)] for path in paths]


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
