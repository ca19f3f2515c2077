"""Turns a CPython process into a MicroPython one that dies with its parent.

launch.py FOLDER ROM HEAP PROMPT RTC MODULE ARGUMENTS, run as a file by `python -ISB`, so it can import nothing of ours.
FOLDER holds the interpreter, ROM is a ROMFS file with the shim, HEAP is "64K" or "" for the interpreter's own, MODULE
of the shim is imported with ARGUMENTS in sys.argv[1:]. PROMPT is "-i" when standard input is a terminal that the
process shall have for its own, with MicroPython's prompt on it once MODULE is through; else "". RTC is the file of the
chip's clock and memory (rtc.py), or "" for none.
"""

import ctypes
import fcntl
import os
import signal
import sys
import termios
from pathlib import Path

PR_SET_PDEATHSIG = 1

# Mounts the ROM and runs a module from it. This is MicroPython source.
_START = """\
import sys, uctypes, vfs
vfs.mount(vfs.VfsRom(uctypes.bytearray_at({address}, {size})), "/.chip")
sys.path[:] = ["/.chip", ".frozen"]
{rtc}import {module}
"""


def die_with(parent: int, number: int) -> None:
    """Ask the kernel for signal `number` when the process `parent` dies, however it dies; Linux only.

    Elsewhere a board notices the end of its stream at the next touch of the chip.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:  # it died before we asked
            sys.exit(1)


def run(
    folder: str, rom: str, heap: str, prompt: str, rtc: str, module: str, arguments: list[str]
) -> int:
    """Run MicroPython in this process and return its exit status."""
    sys.path += [folder, str(Path(__file__).parent)]
    from micropython_run import run_main  # type: ignore[import-not-found,unused-ignore] # noqa: PLC0415 - only now it can be found

    image = Path(rom).read_bytes()
    memory = ctypes.create_string_buffer(image, len(image))  # outside the heap of MicroPython
    start = _START.format(
        address=ctypes.addressof(memory), size=len(image), rtc=_rtc(rtc), module=module
    )
    options = ["-X", f"heapsize={heap}"] if heap else []
    if prompt:
        options.append(prompt)
    status: int = run_main(["micropython", *options, "-c", start, *arguments])
    return status


def _rtc(path: str) -> str:
    """Map the chip's clock and memory into this process; the line that tells the shim where they are."""
    if not path:
        return ""
    import rtc  # type: ignore[import-not-found,unused-ignore] # noqa: PLC0415 - beside this file, which is only now on the path

    return f"import lab_parts\nlab_parts.rtc_at = {rtc.attach(Path(path))}\n"


if __name__ == "__main__":
    die_with(os.getppid(), signal.SIGKILL)
    # Ctrl-C in a terminal reaches the whole group; the lab alone decides when a board ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.argv[4]:  # ^C comes as a signal from a terminal that is ours, and MicroPython handles it
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    sys.exit(run(*sys.argv[1:7], sys.argv[7:]))  # type: ignore[call-arg,arg-type,unused-ignore]  # argv is as run() wants it
