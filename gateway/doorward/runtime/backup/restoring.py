"""`backup restore`, `verify` and `list`: all is read and checked beside the installation before it is touched."""

import json
import os
import secrets
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from pathlib import Path

from doorward.database import load_or_create, open_database
from doorward.errors import BackupError, Conflict, DoorwardError, StartupError
from doorward.runtime.backup import archive, restored
from doorward.runtime.backup.archive import Manifest, Progress
from doorward.runtime.backup.stream import Reader
from doorward.runtime.process import lock

_PIECE = 1024 * 1024


def look(file: Path, passphrase: str) -> Manifest:
    """What an archive says is in it. Only `verify` reads all of it."""
    with _opened(file, passphrase) as reader:
        manifest, _files = archive.unpack(reader, _silent)
    return manifest


def verify(file: Path, passphrase: str, *, progress: Progress) -> Manifest:
    """Read all of an archive and open its databases, in a temporary directory. Raises BackupError, WrongPassphrase."""
    try:
        with tempfile.TemporaryDirectory(prefix="doorward-verify-") as place:
            return _extract(file, passphrase, Path(place) / "all", progress)
    except OSError as error:
        raise BackupError(
            f"the backup was not verified: {error.filename}: {error.strerror}",
            "set TMPDIR to a directory with room for all of it",
        ) from error


def restore(
    file: Path, passphrase: str, directory: Path, *, replace: bool, progress: Progress
) -> tuple[Manifest, Path | None]:
    """Put what an archive holds in the place of `directory`; returns where the old one is kept, if there was one.

    Raises AlreadyRunning, Conflict, BackupError, WrongPassphrase; then `directory` is as it was.
    """
    # An absolute path, and not a link: what is renamed is the directory itself.
    directory = directory.resolve()
    there = directory.is_dir() and any(directory.iterdir())
    with lock.hold(directory) if there else nullcontext():
        if there and not replace:
            raise Conflict(
                f"{directory} is not empty", "use --replace, which keeps the old one beside it"
            )
        draft = directory.with_name(f".{directory.name}.restore-{secrets.token_hex(4)}")
        try:
            directory.parent.mkdir(parents=True, exist_ok=True)
            manifest = _extract(file, passphrase, draft, progress)
            restored.mark(draft, manifest.made)
            _hand_over(draft, directory)
            return manifest, _swap(draft, directory, there=there)
        except OSError as error:
            raise BackupError(
                f"nothing was restored: {error.filename}: {error.strerror}",
                f"make room, or see who may write to {directory.parent}",
            ) from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def _extract(file: Path, passphrase: str, draft: Path, progress: Progress) -> Manifest:
    """All of an archive in a new directory, on disk, with its databases opened once."""
    with _opened(file, passphrase) as reader:
        manifest, files = archive.unpack(reader, progress)
        draft.mkdir(mode=0o700)
        for name, source in files:
            path = draft / name
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                shutil.copyfileobj(source, out, _PIECE)
                out.flush()
                os.fsync(out.fileno())
    try:
        key = load_or_create(draft / archive.KEY, draft / "gateway.db")
        for name in archive.DATABASES:
            if name in manifest.files:
                open_database(draft / name, key).dispose()
    except StartupError as error:
        raise BackupError(
            f"{file}: a database in it does not open with its key", "take another one"
        ) from error
    return manifest


@contextmanager
def _opened(file: Path, passphrase: str) -> Iterator[Reader]:
    """The plain text of an archive. Whatever is wrong with it is a BackupError that names it."""
    try:
        with file.open("rb") as source:
            yield Reader(source, passphrase)
    except FileNotFoundError as error:
        if error.filename != str(file):
            raise
        raise BackupError(f"there is no file {file}", "name another", field="FILE") from error
    except IsADirectoryError as error:
        raise BackupError(f"{file} is a directory", "name a backup", field="FILE") from error
    except PermissionError as error:
        if error.filename != str(file):
            raise
        raise BackupError(f"{file} cannot be read", "run as its owner", field="FILE") from error
    except DoorwardError as error:
        raise type(error)(f"{file}: {error.problem}", error.remedy) from error
    except (tarfile.TarError, json.JSONDecodeError, TypeError, UnicodeDecodeError) as error:
        raise BackupError(f"{file}: its content is not a backup's", "take another one") from error


def _hand_over(draft: Path, directory: Path) -> None:
    """What root restores belongs to whom the directory belonged."""
    if os.geteuid() != 0 or not directory.exists():
        return
    owner = directory.stat()
    for path in (draft, *draft.rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid)


def _swap(draft: Path, directory: Path, *, there: bool) -> Path | None:
    """Two renames; if the second one fails the first is undone."""
    aside = None
    if there:
        stamp = f"{datetime.now():%Y%m%d-%H%M%S}"  # noqa: DTZ005 - for whoever reads the name here
        aside = directory.with_name(f"{directory.name}.before-restore-{stamp}")
        directory.rename(aside)
    try:
        draft.rename(directory)
    except OSError:
        if aside is not None:
            aside.rename(directory)
        raise
    parent = os.open(directory.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)
    return aside


def _silent(_what: str, _done: int, _total: int) -> None:
    """Tell nobody."""
