"""Runs a foreign tool, hears what it says as it says it, and gives up when it is silent for too long."""

import os
import selectors
import subprocess
import time
from collections.abc import Sequence

# Our own environment may hold a password (DOORWARD_PASSWORD): a tool that runs other people's code gets none of it.
_PASSED = ("HOME", "LANG", "LC_ALL", "PATH", "PYTHONPATH", "SYSTEMROOT", "TMPDIR", "VIRTUAL_ENV")
_PIECE = 4096


def environment() -> dict[str, str]:
    """What a foreign tool is given of ours."""
    return {name: os.environ[name] for name in _PASSED if name in os.environ}


def call(words: Sequence[str], patience_s: float) -> tuple[int | None, str]:
    """Run `words`; returns the exit status, None when it was silent for `patience_s` and ended, and all it has said.

    No word may be a secret: every user of the machine can read them. A ^C at the terminal is ours alone: a tool that
    ended by it would leave the board somewhere, while we are to say where.
    """
    with subprocess.Popen(
        list(words),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env={**environment(), "PYTHONUNBUFFERED": "1"},
    ) as tool:
        try:
            said = _hear(tool, patience_s)
        except BaseException:
            tool.kill()
            raise
        if said is None:
            tool.kill()
            return None, ""
        return tool.wait(), said


def _hear(tool: "subprocess.Popen[bytes]", patience_s: float) -> str | None:
    """All that it says until it ends its output; None when it was silent for too long."""
    output = tool.stdout
    if output is None:
        return None
    said: list[bytes] = []
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        until = time.monotonic() + patience_s
        while selector.select(max(0.0, until - time.monotonic())):
            data = os.read(output.fileno(), _PIECE)
            if not data:
                return b"".join(said).decode(errors="replace")
            said.append(data)
            until = time.monotonic() + patience_s
    return None
