"""Turns a CPython process into a MicroPython one that dies with its parent: launch.py MODULE_FOLDER micropython ARGUMENTS.

Run as a file by `python -ISB`, so it can import nothing of ours.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def die_with(parent: int, number: int) -> None:
    """Ask the kernel for signal `number` when the process `parent` dies, however it dies; Linux only.

    Elsewhere a board notices the end of its stream at the next touch of the chip.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:  # it died before we asked
            sys.exit(1)


if __name__ == "__main__":
    die_with(os.getppid(), signal.SIGKILL)
    # Ctrl-C in a terminal reaches the whole group; the lab alone decides when a board ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.path.append(sys.argv[1])
    from micropython_run import run_main  # type: ignore[import-not-found,unused-ignore]

    sys.exit(run_main(sys.argv[2:]))
