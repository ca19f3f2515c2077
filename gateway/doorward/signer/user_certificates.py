"""Which certificate each user of the broker has: one file of serials, no key. Not thread-safe."""

import json
import re
from pathlib import Path
from typing import Any

from doorward import private_file
from doorward.errors import InvalidInput, KeyFileError

# What the broker takes for a user's name; a certificate's CN holds no more than 64 characters.
_NAME = re.compile(r"[A-Za-z0-9_.@-]{1,64}")


class UserCertificates:
    """The serials by name. What is lost here is good for nothing: the broker asks for the serial that it knows."""

    def __init__(self, directory: Path) -> None:
        """Read them. Raises KeyFileError for a file that was damaged."""
        self._path = directory / "users.json"
        self._serials = _read(self._path) if self._path.exists() else {}

    def serial(self, name: str) -> int | None:
        """The serial of a user's certificate; None without one."""
        return self._serials.get(name)

    def put(self, name: str, serial: int) -> None:
        """Remember it. On disk when this returns."""
        self._write({**self._serials, name: serial})

    def drop(self, name: str) -> None:
        """Forget it. Nothing happens when there is none."""
        if name in self._serials:
            self._write({one: serial for one, serial in self._serials.items() if one != name})

    def _write(self, serials: dict[str, int]) -> None:
        private_file.replace(self._path, json.dumps(serials, indent=1).encode())
        self._serials = serials


def check_user(name: str) -> None:
    """Raise InvalidInput for what is no user name."""
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            f"{name[:80]!r} is no user name", "use 1 to 64 of A-Z a-z 0-9 _ . @ -", field="name"
        )


def _read(path: Path) -> dict[str, int]:
    try:
        known: dict[str, Any] = dict(json.loads(private_file.read_key(path)))
    except (ValueError, TypeError) as error:
        raise KeyFileError(
            f"{path} is no list of certificates", "restore it from your backup"
        ) from error
    if not all(_NAME.fullmatch(name) and type(serial) is int for name, serial in known.items()):
        raise KeyFileError(f"{path} is no list of certificates", "restore it from your backup")
    return known
