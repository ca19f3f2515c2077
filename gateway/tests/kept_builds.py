"""Firmware is made small and compiled once in a checkout, however many tests, processes and runs want it.

What was made is kept by the content that it was made from, under .pytest_cache: for another source, compiler or tool of
ours another one is made. Several processes may make the same at once; each puts it there whole.
"""

import contextlib
import hashlib
import os
import pickle
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from doorward.firmware import mpy, program
from doorward.firmware.shrink import Shrunk

FOLDER = Path(__file__).parents[2] / ".pytest_cache" / "builds"
_UNUSED_S = 7 * 24 * 3600

_PROGRAM, _MPY = vars(program), vars(mpy)
_shrink: Callable[..., Shrunk] = _PROGRAM["shrink"]
_compile_file = mpy.compile_file


def install() -> None:
    """From here on this process, and what is forked from it, looks there first."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    _use(_kept_shrink, _kept_compile_file)


def tidy() -> None:
    """Forget what nobody has wanted for a week."""
    for path in FOLDER.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another run does the same
            if path.stat().st_mtime < time.time() - _UNUSED_S:
                path.unlink()


@contextlib.contextmanager
def made_anew() -> Iterator[None]:
    """For tests of how it is made."""
    _use(_shrink, _compile_file)
    try:
        yield
    finally:
        _use(_kept_shrink, _kept_compile_file)


def _use(shrink: Callable[..., Shrunk], compile_file: Callable[[Path, Path, str], None]) -> None:
    _PROGRAM["shrink"] = shrink
    _MPY["compile_file"] = compile_file


def _kept_shrink(
    sources: Mapping[str, str], entries: Iterable[str] = (), *, join: bool = True
) -> Shrunk:
    entries = list(entries)
    told = repr((program.identity(), sys.version, sorted(sources.items()), entries, join)).encode()
    found = _kept(told, lambda: pickle.dumps(_shrink(sources, entries, join=join)))
    made: Shrunk = pickle.loads(found)
    return made


def _kept_compile_file(source: Path, target: Path, name: str) -> None:
    def make() -> bytes:
        _compile_file(source, target, name)
        return target.read_bytes()

    target.write_bytes(_kept(repr((mpy.identity(), name, source.read_bytes())).encode(), make))


def _kept(told: bytes, make: Callable[[], bytes]) -> bytes:
    path = FOLDER / hashlib.sha256(told).hexdigest()
    try:
        content = path.read_bytes()
        os.utime(path)
    except FileNotFoundError:
        content = make()
        draft = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
        draft.write_bytes(content)
        draft.replace(path)
    return content
