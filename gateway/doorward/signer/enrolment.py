"""A device's two secrets, and the file that keeps them: one a device, for its owner's eyes only."""

import json
import re
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from doorward import private_file
from doorward.errors import KeyFileError

_SECRET = re.compile("[0-9a-f]{64}")


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
    enrolment = Enrolment(device, secrets.token_hex(32), secrets.token_hex(32))
    if private_file.create(path, json.dumps(asdict(enrolment)).encode()):
        return enrolment
    return load(path)


def load(path: Path) -> Enrolment:
    """Read one file. Raises KeyFileTooOpen or KeyFileError, which name it."""
    content = private_file.read_key(path)
    try:
        enrolment = Enrolment(**json.loads(content))
    except (ValueError, TypeError) as error:
        raise KeyFileError(
            f"key file {path} is no device key", "restore it from your backup"
        ) from error
    if enrolment.device != path.stem or not _is_whole(enrolment):
        raise KeyFileError(
            f"key file {path} is no key of {path.stem}", "restore it from your backup"
        )
    return enrolment


def _is_whole(enrolment: Enrolment) -> bool:
    """True when every field is what it has to be: the file may have been edited by hand."""
    epoch: object = enrolment.epoch
    if type(epoch) is not int or epoch < 1:
        return False
    return _is_secret(enrolment.secret) and _is_secret(enrolment.key)


def _is_secret(value: object) -> bool:
    return isinstance(value, str) and _SECRET.fullmatch(value) is not None
