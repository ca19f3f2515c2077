"""What a person is told while something takes long."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import click

_QUIET_S = 2.0  # what is done by then needs no word


@contextmanager
def told_if_long(text: str) -> Iterator[None]:
    """Say on stderr what is going on if it is not over in two seconds."""
    timer = threading.Timer(_QUIET_S, click.echo, (text,), {"err": True})
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
