"""Memory that nobody uses any more goes back to the system. All of it is for glibc; elsewhere nothing happens."""

import ctypes

_M_ARENA_MAX = -8  # malloc.h


def share_one_heap() -> None:
    """Have all threads take memory from one place; for the whole process, before it starts threads.

    With a place for each, what argon2 works in (19 MiB) stays with every thread that it has worked on, and `give_back`
    does not find it.
    """
    option = getattr(ctypes.CDLL(None), "mallopt", None)
    if option is not None:
        option(_M_ARENA_MAX, 1)


def give_back() -> None:
    """Have it give back what it holds in reserve. Takes some milliseconds.

    A crowd leaves holes between what its connections keep: its handshakes as large as all of these together, and what
    argon2 worked in.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
