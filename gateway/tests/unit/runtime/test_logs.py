"""What stands in the log is one line each, whoever chose the words."""

import subprocess
import sys

SAY = r"""
import structlog
from doorward import logs
logs.configure()
log = structlog.get_logger()
log.warning("broker.denied", topic="nope/\x1b[2J\x9b31m\u202e/#", number=3, rule=None)
log.warning("broker.denied", topic="a\n12:00:00 [info] faked", who="h\u00e9")
try:
    1 / 0
except ZeroDivisionError:
    log.exception("broken", topic="\x1b")
"""


def test_a_topic_steers_no_terminal_and_begins_no_line():
    done = subprocess.run([sys.executable, "-c", SAY], capture_output=True, check=True)
    said = done.stderr.decode()
    first, second, *traceback = said.splitlines()
    assert r"topic=nope/\x1b[2J\x9b31m\u202e/#" in first
    assert "number=3" in first
    assert "faked" in second
    assert "h\u00e9" in second
    assert traceback[-1].startswith("ZeroDivisionError")
    assert not set(said) & {"\x1b", "\x9b", "\u202e"}
