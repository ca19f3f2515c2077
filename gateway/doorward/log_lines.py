"""Logs go to stderr, one line each, for people or for a journal: the standard library's half of `logs`."""

import logging
import sys


def configure(level: int = logging.INFO) -> None:
    """Set the standard library up."""
    logging.basicConfig(stream=sys.stderr, level=level, format="%(levelname)-8s %(message)s")
    for chatty in ("alembic", "uvicorn", "websockets"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # It warns of every request that is none: whoever sends those must not fill a disk with them.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
