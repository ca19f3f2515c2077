"""`doorward backup`: an installation in one encrypted file, and the way back from it."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from doorward.cli.failure import Failure, refusals
from doorward.cli.options import Command, chosen_directory, common, home_directory, show
from doorward.cli.text import clean, local_time, table

if TYPE_CHECKING:
    from doorward.runtime.backup import Manifest

_VARIABLE = "DOORWARD_BACKUP_PASSPHRASE"
_SHORTEST = 12
_QUIET_S = 2.0  # what is done by then needs no progress

_FILE = click.argument("file", type=click.Path(path_type=Path))


def _secret(command: Command) -> Command:
    """Give a command --passphrase-file."""
    return click.option(
        "--passphrase-file",
        type=click.Path(path_type=Path),
        help=f"Read the passphrase from this file's first line instead of asking. "
        f"{_VARIABLE} is read, too.",
    )(command)


@click.group()
def backup() -> None:
    """An installation in one encrypted file, and the way back from it."""


@backup.command("create")
@_FILE
@click.option(
    "--with-keys",
    is_flag=True,
    help="Also the boards' keys and the CA's: boards go on after a restore. Keep such a file like the keys themselves.",
)
@click.option(
    "--keys",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the signer has them, if it is a process of its own; by default DATA/signer.",
)
@_secret
@common
def create_archive(
    file: Path,
    passphrase_file: Path | None,
    keys: Path | None,
    *,
    with_keys: bool,
    as_json: bool,
    data: Path | None,
) -> None:
    """Write a new backup. The gateway may run meanwhile, and waits for nothing."""
    from doorward.runtime.backup import create

    with refusals(), _progress() as progress:
        passphrase = _passphrase(passphrase_file, new=True)
        directory = chosen_directory(data)
        manifest = create(
            directory, file, passphrase, with_keys=with_keys, progress=progress, keys=keys
        )
    kind = "boards' keys included" if with_keys else "boards' keys not included"
    text = f"{file}: {_size(manifest.size)}, {kind}"
    show({"file": str(file), **asdict(manifest)}, clean(text), as_json=as_json)


@backup.command("list")
@_FILE
@_secret
@common
def list_archive(
    file: Path, passphrase_file: Path | None, *, as_json: bool, data: Path | None
) -> None:
    """Show what is in a backup."""
    from doorward.runtime.backup import look

    with refusals():
        manifest = look(file, _passphrase(passphrase_file))
    show(asdict(manifest), _tell(manifest), as_json=as_json)


@backup.command("verify")
@_FILE
@_secret
@common
def verify_archive(
    file: Path, passphrase_file: Path | None, *, as_json: bool, data: Path | None
) -> None:
    """Read all of a backup, and open the databases in it, without restoring anything."""
    from doorward.runtime.backup import verify

    with refusals(), _progress() as progress:
        manifest = verify(file, _passphrase(passphrase_file), progress=progress)
    text = clean(f"{file} is whole, and its databases open") + "\n\n" + _tell(manifest)
    show(asdict(manifest), text, as_json=as_json)


@backup.command("restore")
@_FILE
@click.option(
    "--replace",
    is_flag=True,
    help="Move an installation that is there to DIR.before-restore-… first.",
)
@_secret
@common
def restore_archive(
    file: Path, passphrase_file: Path | None, *, replace: bool, as_json: bool, data: Path | None
) -> None:
    """Put a backup in the place of an installation. Nothing is touched until all of it was read."""
    from doorward.runtime.backup import restore

    directory = data or home_directory(demo=False)
    with refusals(), _progress() as progress:
        passphrase = _passphrase(passphrase_file)
        manifest, aside = restore(file, passphrase, directory, replace=replace, progress=progress)
    lines = [f"{directory} is as it was at {local_time(manifest.made_at)}"]
    if aside is not None:
        lines.append(f"what was there is kept in {aside}")
    if not manifest.with_keys:
        lines.append("the boards' keys were not in it: adopt the boards again")
    answer = {"data": str(directory), "aside": str(aside) if aside else None, **asdict(manifest)}
    show(answer, "\n".join(map(clean, lines)), as_json=as_json)


def _tell(manifest: "Manifest") -> str:
    kind = "with" if manifest.with_keys else "without"
    rows = [(name, _size(size)) for name, size in manifest.files.items()]
    head = f"made {local_time(manifest.made_at)} by doorward {manifest.doorward}, {kind} the boards' keys"
    return clean(head) + "\n\n" + table(("file", "size"), rows)


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count} bytes"


def _passphrase(file: Path | None, *, new: bool = False) -> str:
    """From the file, the environment or whoever sits there, who types a new one twice."""
    from doorward import private_file

    if file is not None:
        text = private_file.read_key(file).decode(errors="replace")
        passphrase = text.splitlines()[0] if text else ""
    else:
        passphrase = os.environ.get(_VARIABLE) or _asked(new=new)
    if new and len(passphrase) < _SHORTEST:
        raise Failure(
            f"the passphrase is too short; take at least {_SHORTEST} characters, or a few words",
            code="invalid",
            field="passphrase",
        )
    return passphrase


def _asked(*, new: bool) -> str:
    if not sys.stdin.isatty():
        raise Failure(
            f"there is nobody to ask for the passphrase; use --passphrase-file or {_VARIABLE}",
            code="invalid",
            field="passphrase",
        )
    typed: str = click.prompt("Passphrase", hide_input=True, confirmation_prompt=new, err=True)
    return typed


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A line on stderr that is written over, once it takes long and if somebody looks."""
    started = time.monotonic()
    shown = False

    def progress(what: str, done: int, total: int) -> None:
        nonlocal shown
        if sys.stderr.isatty() and time.monotonic() - started > _QUIET_S:
            shown = True
            click.echo(f"\r{what} {done * 100 // max(total, 1)} %   ", err=True, nl=False)

    try:
        yield progress
    finally:
        if shown:
            click.echo(err=True)
