"""Logs go to stderr, one line each, for people or for a journal."""

import logging
import sys

import structlog
from structlog.typing import EventDict

from doorward import log_lines
from doorward.errors import one_line


def configure(level: int = logging.INFO) -> None:
    """Set structlog and the standard library up alike. No log line holds a secret or a whole UID."""
    log_lines.configure(level)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
            _shown_whole,
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                # The pretty one shows local variables, and some of ours are secrets.
                exception_formatter=structlog.dev.plain_traceback,
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _shown_whole(_logger: object, _method: str, line: EventDict) -> EventDict:
    """What others chose (a topic, a name) must not steer the terminal of who reads the log, nor begin a line."""
    return {
        key: one_line(value) if isinstance(value, str) else value for key, value in line.items()
    }
