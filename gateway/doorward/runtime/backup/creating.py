"""`backup create`: a consistent copy of a running installation, in one encrypted file."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from doorward import __version__
from doorward.adapters.store import reseal
from doorward.config import FILE_NAME, Settings
from doorward.database import copy_database, load_or_create
from doorward.errors import BackupError, Conflict, DoorwardError, NotFound
from doorward.file_lock import lock_directory
from doorward.runtime.backup import archive
from doorward.runtime.backup.archive import Manifest, Progress
from doorward.runtime.backup.stream import Writer
from doorward.runtime.mosquitto import setup as mosquitto

_DEMO = "site.json"  # it marks a directory as a demo's, and holds the keys of its boards


def create(
    directory: Path,
    file: Path,
    passphrase: str,
    *,
    with_keys: bool,
    progress: Progress,
    keys: Path | None = None,
) -> Manifest:
    """Write a new archive of the installation in `directory`, whether or not its gateway runs.

    `keys`: where its signer has them, if not in `directory`. Raises NotFound, Conflict, BackupError; then there is no
    `file`.
    """
    if not (directory / "gateway.db").exists():
        raise NotFound(f"there is no installation in {directory}", "name it with --data")
    if file.exists():
        raise Conflict(f"{file} exists already", "choose another name", field="FILE")
    try:
        with _workshop(directory) as place:
            settings = Settings(directory=directory)
            source = keys or settings.device_keys
            files = _signers(source, place) if with_keys else {}
            files |= _collect(settings, place, progress, with_keys=with_keys)
            manifest = Manifest(
                made_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
                doorward=__version__,
                with_keys=with_keys,
                files={name: path.stat().st_size for name, path in files.items()},
            )
            _write(manifest, files, file, passphrase, progress)
    except OSError as error:
        raise BackupError(
            f"no backup was made: {error.filename or file}: {error.strerror}",
            f"make room, or see who may write to {file.absolute().parent}",
        ) from error
    except DoorwardError as error:
        raise type(error)(f"no backup was made: {error.problem}", error.remedy) from error
    return manifest


def _collect(
    settings: Settings, place: Path, progress: Progress, *, with_keys: bool
) -> dict[str, Path]:
    """What goes into the archive after the signer's, by its name there. The databases are copied into `place`.

    In this order, so that nothing points to what is not there: what the signer knows of the audit is never ahead of
    it, and what the broker holds no longer the gateway has.
    """
    directory = settings.directory
    files: dict[str, Path] = {}
    key = load_or_create(settings.database_key, directory / "gateway.db")
    new_key = secrets.token_bytes(len(key))
    (place / "database.key").write_bytes(new_key)
    for count, name in enumerate(archive.DATABASES):
        progress("copying", count, len(archive.DATABASES))
        if (directory / name).exists():
            copy_database(directory / name, key, place / name, new_key)
            files[name] = place / name
    reseal(place / "gateway.db", key, new_key)
    files[archive.KEY] = place / "database.key"
    files |= _mosquittos(settings, place, with_keys=with_keys)
    if (directory / FILE_NAME).exists():
        files[FILE_NAME] = directory / FILE_NAME
    if (directory / _DEMO).exists():
        files[_DEMO] = directory / _DEMO if with_keys else place / _DEMO
        (place / _DEMO).write_text('{"boards": [], "cards": {}}')
    return files


def _mosquittos(settings: Settings, place: Path, *, with_keys: bool) -> dict[str, Path]:
    """What its Mosquitto needs, copied: it replaces each of its files as a whole, and is told to write first."""
    own = mosquitto.places_of(settings)
    if not own.configuration.exists():
        return {}
    mosquitto.save(settings)
    found: dict[str, Path] = {}
    for path in own.kept if with_keys else own.added:
        if path.exists():
            name = f"{archive.MOSQUITTO}/{path.relative_to(own.directory)}"
            (place / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            found[name] = Path(shutil.copyfile(path, place / name))
    return found


def _signers(source: Path, place: Path) -> dict[str, Path]:
    """Copies, because the signer goes on writing to its own."""
    if not source.is_dir() or not any(source.iterdir()):
        raise NotFound(f"there are no keys in {source}", "name the signer's directory with --keys")
    kept: dict[str, Path] = {}
    (place / archive.SIGNER).mkdir(mode=0o700)
    for path in sorted(source.iterdir()):
        if path.is_file() and not path.name.startswith("."):
            name = f"{archive.SIGNER}/{path.name}"
            kept[name] = Path(shutil.copyfile(path, place / name))
    return kept


@contextmanager
def _workshop(directory: Path) -> Iterator[Path]:
    """An empty directory for the copies. What a killed run left there goes first. Raises Conflict for a second run."""
    place = directory / ".backup"
    place.mkdir(mode=0o700, exist_ok=True)
    try:
        held = lock_directory(place, wait=False)
    except BlockingIOError:
        raise Conflict(f"another backup of {directory} is being made", "wait for its end") from None
    with held:
        _empty(place)
        try:
            yield place
        finally:
            _empty(place)


def _empty(place: Path) -> None:
    for path in place.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _write(
    manifest: Manifest, files: dict[str, Path], file: Path, passphrase: str, progress: Progress
) -> None:
    """The archive under its name once all of it is on disk, and not before."""
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as out:
            archive.pack(manifest, files, Writer(out, passphrase), progress)
            out.flush()
            os.fsync(out.fileno())
        os.link(draft, file)  # unlike a rename it never replaces what came meanwhile
    finally:
        draft.unlink(missing_ok=True)
    parent = os.open(file.absolute().parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)
