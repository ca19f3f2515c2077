"""What lies in an archive: a tar whose first member, `manifest.json`, names all the others.

gateway.db, broker.db   as they stood, under a key of this archive's own
keys/database.key       that key
doorward.toml           the settings, if there are any
site.json               a demo's boards; without keys it names none, and the demo adopts them anew
mosquitto/conf.d/*      what somebody added to Mosquitto's settings
mosquitto/*             with keys alone: its configuration, accounts, sessions and queues, if it was set up
signer/*                with keys alone: the devices' keys, the CA's, and what else the signer keeps
"""

import io
import json
import re
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, cast

from doorward.errors import BackupError
from doorward.runtime.backup.stream import Reader, Writer

FORMAT = 1
DATABASES = ("broker.db", "gateway.db")
KEY = "keys/database.key"
SIGNER = "signer"
MOSQUITTO = "mosquitto"

Progress = Callable[[str, int, int], None]
"""Hears what is being done, how many bytes of it are done, and of how many."""

_MANIFEST = "manifest.json"
_LARGEST_MANIFEST = 1024 * 1024
_PIECE = 1024 * 1024
_NAME = re.compile(
    r"(?:gateway|broker)\.db|keys/database\.key|doorward\.toml|site\.json|signer/[\w-][\w.-]*"
    r"|mosquitto/(?:conf\.d/)?[\w-][\w.-]*"
)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive says about itself. made_at: ISO 8601 in UTC; files: sizes in bytes."""

    made_at: str
    doorward: str
    with_keys: bool
    files: Mapping[str, int]
    format: int = FORMAT

    @property
    def size(self) -> int:
        """All files together, in bytes."""
        return sum(self.files.values())

    @property
    def made(self) -> datetime:
        """When it was made."""
        return datetime.fromisoformat(self.made_at)


def pack(manifest: Manifest, files: Mapping[str, Path], writer: Writer, progress: Progress) -> None:
    """Write the manifest and the files that it names, and finish the stream."""
    with tarfile.open(fileobj=cast(IO[bytes], writer), mode="w|", format=tarfile.PAX_FORMAT) as tar:
        _add(tar, _MANIFEST, io.BytesIO(json.dumps(asdict(manifest)).encode()))
        done = 0
        for name, size in manifest.files.items():
            with files[name].open("rb") as file:
                _add(tar, name, file, size)
            done += size
            progress("encrypting", done, manifest.size)
    writer.finish()


def _add(tar: tarfile.TarFile, name: str, file: IO[bytes], size: int | None = None) -> None:
    member = tarfile.TarInfo(name)
    member.size = file.seek(0, io.SEEK_END) if size is None else size
    member.mode = 0o600
    file.seek(0)
    tar.addfile(member, file)


def unpack(reader: Reader, progress: Progress) -> tuple[Manifest, Iterator[tuple[str, IO[bytes]]]]:
    """The manifest, and then each file by its name. Raises BackupError, also while the files are read.

    What was read is whole and authentic only when the last file was taken and the iterator has ended.
    """
    tar = tarfile.open(fileobj=cast(IO[bytes], reader), mode="r|")  # noqa: SIM115 - the files are read later
    manifest = _manifest(tar)
    return manifest, _members(tar, manifest, reader, progress)


def _manifest(tar: tarfile.TarFile) -> Manifest:
    first = tar.next()
    file = tar.extractfile(first) if first and first.name == _MANIFEST else None
    if first is None or file is None or first.size > _LARGEST_MANIFEST:
        raise BackupError("the backup does not say what is in it", "take another one")
    said: dict[str, Any] = json.loads(file.read())
    if said.get("format") != FORMAT:
        raise BackupError(
            f"the backup was made by doorward {said.get('doorward')}, which is newer than this one",
            "install that version first",
        )
    return Manifest(**said)


def _members(
    tar: tarfile.TarFile, manifest: Manifest, reader: Reader, progress: Progress
) -> Iterator[tuple[str, IO[bytes]]]:
    done = 0
    for name, size in manifest.files.items():
        member = tar.next()
        file = tar.extractfile(member) if member else None
        fits = member is not None and (member.name, member.size) == (name, size)
        if file is None or not fits or not _NAME.fullmatch(name):
            raise BackupError("the backup does not hold what it says", "take another one")
        yield name, file
        done += size
        progress("reading", done, manifest.size)
    while reader.read(_PIECE):
        pass  # the padding of a tar: the stream is whole only when its end was seen
    tar.close()
