# The board's program.

import sys

VERSION = "0.1.0"
# What the board was installed with.
CONFIG = "/config.json"
# Why it started again; told once it is up.
FAILURE = "/failure"
# What it did before that (crash.py).
FLIGHT = "/flight"


def forget(name: str) -> None:
    # Gives the heap of a module of this package back: it has done what is done once, or seldom.
    path = __name__ + "." + name
    del sys.modules[path]
    package, _dot, last = path.rpartition(".")
    delattr(sys.modules[package], last)
