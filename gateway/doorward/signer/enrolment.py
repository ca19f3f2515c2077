"""What is kept of a device's secrets, and the file that keeps it: one a device, for its owner's eyes only."""

import hashlib
import json
import re
import secrets
from dataclasses import asdict, dataclass
from dataclasses import replace as replace_fields
from pathlib import Path
from typing import Any

from doorward import private_file
from doorward.errors import KeyFileError
from doorward_core import topics

# 2: with the serial of the certificate and the keys of a rekey, and without the MQTT password. A file that has no
# number is of the first kind.
_FORMAT = 2
_SECRET = re.compile("[0-9a-f]{64}")
_BACKUP = "restore it from your backup"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What the gateway's side has to know of a board. Keys and digests are 64 hex digits; never log a key."""

    device: str
    password: str  # SHA-256 of its MQTT password, which the board alone has
    key: str  # K_dev, from which its seals are made
    epoch: int = 1
    serial: int | None = None  # of its certificate; None for a device that was never given one
    next_key: str | None = None  # K_dev to be, of epoch + 1, while the board is being rekeyed
    former_key: str | None = (
        None  # K_dev of epoch - 1: the board's log still speaks of cards by its tags
    )

    def __repr__(self) -> str:
        """Name the device alone: a repr ends up in logs."""
        return f"Enrolment({self.device})"

    @property
    def digest(self) -> bytes:
        """SHA-256 of its MQTT password: all that a broker has to know."""
        return bytes.fromhex(self.password)


def new(device: str, serial: int | None = None) -> tuple[Enrolment, str]:
    """Fresh secrets, kept nowhere yet, and the MQTT password, which is kept nowhere but on the board."""
    password = secrets.token_hex(32)
    return Enrolment(device, _digest(password), secrets.token_hex(32), serial=serial), password


def path_of(directory: Path, device: str) -> Path:
    """Where a device's file is."""
    return directory / f"{device}.key"


def with_next_key(enrolment: Enrolment) -> Enrolment:
    """The same, with the key to come."""
    return replace_fields(enrolment, next_key=secrets.token_hex(32))


def in_force(enrolment: Enrolment) -> Enrolment:
    """The same, with its next key as the present one."""
    if enrolment.next_key is None:
        raise ValueError("there is no next key")
    return replace_fields(
        enrolment,
        key=enrolment.next_key,
        epoch=enrolment.epoch + 1,
        former_key=enrolment.key,
        next_key=None,
    )


def replace(directory: Path, enrolment: Enrolment) -> None:
    """Write a device's file, in place of an older one if there is one."""
    private_file.replace(path_of(directory, enrolment.device), _encode(enrolment))


def load(path: Path) -> Enrolment:
    """Read one file. Raises KeyFileTooOpen or KeyFileError, which name it."""
    content = private_file.read_key(path)
    try:
        known: dict[str, Any] = dict(json.loads(content))
        written = known.pop("format", 1)
        if type(written) is int and written > _FORMAT:
            raise KeyFileError(
                f"key file {path} was written by a newer doorward", "start that version"
            )
        if written == 1:
            known["password"] = _digest(known.pop("secret"))
        enrolment = Enrolment(**known)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise KeyFileError(f"key file {path} is no device key", _BACKUP) from error
    if enrolment.device != path.stem or not _is_whole(enrolment):
        raise KeyFileError(f"key file {path} is no key of {path.stem}", _BACKUP)
    return enrolment


def _encode(enrolment: Enrolment) -> bytes:
    return json.dumps({"format": _FORMAT, **asdict(enrolment)}).encode()


def _is_whole(enrolment: Enrolment) -> bool:
    """True when every field is what it has to be: the file may have been edited by hand."""
    return (
        topics.is_id(enrolment.device)
        and _is_number(enrolment.epoch)
        and (enrolment.serial is None or _is_number(enrolment.serial))
        and (enrolment.next_key is None or _is_secret(enrolment.next_key))
        and (enrolment.former_key is None or _is_secret(enrolment.former_key))
        and _is_secret(enrolment.password)
        and _is_secret(enrolment.key)
    )


def _digest(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


def _is_number(value: object) -> bool:
    return type(value) is int and value >= 1


def _is_secret(value: object) -> bool:
    return isinstance(value, str) and _SECRET.fullmatch(value) is not None
