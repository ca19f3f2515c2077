"""The `doorward` command: a noun, a verb, and one line that says what to do next.

A command talks to the running gateway over its local Unix socket, so that a change acts at once. `up` and `demo` are
the only ones that start something; `doctor` is the only one that looks for itself: it must work when nothing else does.
"""

from doorward.cli.root import main

__all__ = ["main"]
