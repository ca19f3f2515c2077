"""Memory that nobody uses any more goes back to the system."""

import ctypes


def give_back() -> None:
    """Have glibc give back what it holds in reserve; elsewhere nothing. Takes some milliseconds.

    A crowd's handshakes leave holes between what its connections keep, as large as all of these together.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
