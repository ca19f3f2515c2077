# The board's program.

import sys

VERSION = "0.1.0"
# What the board was installed with.
CONFIG = "/config.json"


def forget(name: str) -> None:
    # Gives the heap of a module of this package back: it has done what is done once, or seldom.
    del sys.modules[__name__ + "." + name]
    delattr(sys.modules[__name__], name)
