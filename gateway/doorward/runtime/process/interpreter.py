"""How the threads of a process share the interpreter."""

import sys

# The writer thread must not keep the loop waiting for the interpreter: the default of 5 ms is a whole tap.
_SWITCH_S = 0.0005


def share_quickly() -> None:
    """Let a thread that wants the interpreter have it soon; for the whole process."""
    sys.setswitchinterval(_SWITCH_S)
