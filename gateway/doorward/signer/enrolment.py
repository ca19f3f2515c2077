"""A device's two secrets, and the file that keeps them: one a device, for its owner's eyes only."""

import json
import os
import secrets
import stat
from dataclasses import asdict, dataclass
from pathlib import Path

from doorward.errors import KeyFileError, KeyFileTooOpen

_HEX = 64


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What a board needs to prove who it is. Secrets are 64 hex digits; never log one."""

    device: str
    secret: str  # its MQTT password
    key: str  # K_dev, from which its seals are made
    epoch: int = 1

    def __repr__(self) -> str:
        """Name the device alone: a repr ends up in logs."""
        return f"Enrolment({self.device})"


def create(directory: Path, device: str) -> Enrolment:
    """Make new secrets and their file; returns the old ones when there is a file already."""
    path = directory / f"{device}.key"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    enrolment = Enrolment(device, secrets.token_hex(32), secrets.token_hex(32))
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return load(path)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(enrolment), file)
        file.flush()
        os.fsync(file.fileno())
    return enrolment


def load(path: Path) -> Enrolment:
    """Read one file. Raises KeyFileTooOpen or KeyFileError, which name it."""
    mode = path.stat().st_mode
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyFileTooOpen(
            f"key file {path} is open to others (mode {mode & 0o777:04o})", f"chmod 600 {path}"
        )
    try:
        enrolment = Enrolment(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise KeyFileError(
            f"key file {path} is no device key", "restore it from your backup"
        ) from error
    if enrolment.device != path.stem or len(enrolment.key) != _HEX or len(enrolment.secret) != _HEX:
        raise KeyFileError(
            f"key file {path} is no key of {path.stem}", "restore it from your backup"
        )
    return enrolment
