"""The folder that goes onto a board: config.json, tls/ and firmware.key, for their owner's eyes alone."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from doorward import private_file
from doorward.cli.failure import Failure

_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")


@dataclass(frozen=True, slots=True)
class Wifi:
    """A board's network."""

    ssid: str
    password: str = field(repr=False)


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Make a folder for secrets; it goes again when nothing was written into it.

    Raises Failure when something is there already.
    """
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError as error:
        raise Failure(
            f"{folder} is there already; move it away, or choose another place with --out",
            code="conflict",
            field="out",
        ) from error
    except OSError as error:
        raise Failure(
            f"{folder} cannot be made ({error.strerror}); choose another place with --out",
            field="out",
        ) from error
    try:
        yield folder
    finally:
        with suppress(OSError):  # what was written stays
            folder.rmdir()


def check_id(device: str) -> None:
    """Raise Failure for what is no board id: a folder is named after it."""
    if not _ID.fullmatch(device):
        raise Failure(
            f"{device!r} is no board id; use 1 to 32 of A-Z a-z 0-9 _ -", code="invalid", field="id"
        )


def write_board(folder: Path, answer: Mapping[str, Any], wifi: Wifi | None) -> None:
    """Write the files of an adoption into a new folder."""
    config = dict(answer["config"])
    if wifi is not None:
        config["wifi"] = {"ssid": wifi.ssid, "password": wifi.password}
    files = {folder / "config.json": json.dumps(config, indent=1).encode()}
    for name, content in answer["tls"].items():
        files[folder / "tls" / Path(name).name] = base64.b64decode(content)
    if answer["firmware_key"]:
        files[folder / "firmware.key"] = base64.b64decode(answer["firmware_key"])
    for path, content in files.items():
        private_file.create(path, content)
