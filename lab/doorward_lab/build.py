"""Turns folders of MicroPython source into what a board runs: .mpy files, compiled once per content."""

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from doorward.firmware import manifest, mpy, program, shrink
from doorward_lab import romfs, toolchain
from doorward_lab.errors import FirmwareError

# A board reads these two as source.
_STAY_SOURCE = frozenset({"boot.py", "main.py"})
# Where the firmware of a board stands that has had no update yet.
SLOT = "a"
# What launch.py calls of the shim.
_LAUNCHED = "lab_parts.rtc_at"


def stage(folder: Path, target: Path, cache: Path) -> None:
    """Fill the empty folder `target` with a firmware `folder` as it goes onto a board.

    boot.py and main.py at the top stay as they are, every other .py becomes .mpy, the rest is copied; hidden files and
    __pycache__ stay behind. A folder with doorward_node is a whole firmware: its packages go, with shorter
    names, into slot a, with their manifest, and /slot names it.
    Raises FirmwareError when main.py is missing or a file does not compile.
    """
    if not (folder / "main.py").is_file():
        raise FirmwareError(
            f"{folder} has no main.py; name the folder that holds a board's program"
        )
    whole = (folder / "doorward_node").is_dir()
    source = _shrunk(folder, cache) if whole else folder
    for path in _files(source):
        inside = path.relative_to(source)
        if inside.suffix == ".py" and str(inside) not in _STAY_SOURCE:
            room = target / SLOT if whole and inside.parts[0] in manifest.PACKAGES else target
            _place(_compiled(path, inside, cache), room / inside.with_suffix(".mpy"))
        else:
            _place(path, target / inside)
    if whole:
        _complete(target, firmware=folder)


def _shrunk(folder: Path, cache: Path) -> Path:
    digest = hashlib.sha256(f"{program.identity()}\0{tree_digest(folder)}".encode())
    ready = cache / f"{digest.hexdigest()[:32]}.shrunk"
    if not ready.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as growing:
            try:
                program.copy(folder, Path(growing) / "firmware")
            except mpy.DoesNotCompile as error:
                raise FirmwareError(str(error)) from None
            with contextlib.suppress(OSError):  # another lab has just made it
                (Path(growing) / "firmware").replace(ready)
    return ready


def _complete(target: Path, firmware: Path) -> None:
    slot = target / SLOT
    files = {str(path.relative_to(slot)): path.read_bytes() for path in _files(slot)}
    try:
        version = manifest.version_of(firmware)
    except (OSError, ValueError) as error:
        raise FirmwareError(str(error)) from None
    (slot / "manifest.json").write_bytes(manifest.manifest(version, files))
    (target / "slot").write_text(f"{SLOT} {manifest.EPOCH}")


def rom(folder: Path, cache: Path, callers: Iterable[str] = ()) -> Path:
    """Return a ROMFS file in `cache` with every module of `folder`, compiled as small as it gets.

    What stands in for the chip shares its own names with the firmware this way: a chip's lie in its flash, and a
    board has no heap to give for them. callers: sources beside it that call it. Made once per content.
    """
    made_by = f"{toolchain.compiler_identity()}\0{program.identity()}\0{tree_digest(folder)}"
    callers = [_LAUNCHED, *callers]
    digest = hashlib.sha256("\0".join([made_by, *callers]).encode())
    ready = cache / f"{digest.hexdigest()[:32]}.romfs"
    if not ready.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as growing:
            sources = {str(path.relative_to(folder)): path.read_text() for path in _files(folder)}
            small = shrink.shrink(sources, callers, join=False).sources
            for inside, source in small.items():
                short = Path(growing) / inside
                short.parent.mkdir(exist_ok=True)
                short.write_text(source)
                _place(_compiled(short, Path(inside), cache), short.with_suffix(".mpy"))
                short.unlink()
            image = Path(growing) / "image"
            image.write_bytes(romfs.pack(Path(growing)))
            image.replace(ready)
    return ready


def tree_digest(folder: Path) -> str:
    """Return a hash over the names and contents of all files under `folder`."""
    digest = hashlib.sha256()
    for path in _files(folder):
        digest.update(str(path.relative_to(folder)).encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        hidden = any(
            part.startswith(".") or part == "__pycache__" for part in path.relative_to(folder).parts
        )
        if path.is_file() and not hidden:
            yield path


def _compiled(source: Path, inside: Path, cache: Path) -> Path:
    # A board knows the module's own name already; the path of its source would be one more on its heap.
    name = mpy.module_name(inside)
    key = hashlib.sha256(
        f"{toolchain.compiler_identity()}\0{name}\0".encode() + source.read_bytes()
    )
    ready = cache / f"{key.hexdigest()[:32]}.mpy"
    if not ready.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        descriptor, growing = tempfile.mkstemp(dir=cache)
        os.close(descriptor)
        try:
            toolchain.compile_file(source, Path(growing), name)
            Path(growing).replace(ready)
        finally:
            Path(growing).unlink(missing_ok=True)
    return ready


def _place(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
