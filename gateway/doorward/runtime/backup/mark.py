"""DIR/restored.json: what tells a gateway that starts that its databases come from a backup."""

import json
from datetime import UTC, datetime
from pathlib import Path

from doorward import private_file
from doorward.errors import StartupError

FILE_NAME = "restored.json"


def leave(directory: Path, made: datetime) -> None:
    """Mark a restored installation: its databases stand as they were at `made`."""
    said = {"backup_ms": _ms(made), "restored_ms": _ms(datetime.now(UTC))}
    private_file.replace(directory / FILE_NAME, json.dumps(said).encode())


def read(directory: Path) -> tuple[int, int] | None:
    """(when the backup was made, when it was restored), in UTC milliseconds; None without a mark."""
    path = directory / FILE_NAME
    try:
        said = json.loads(path.read_bytes())
        return int(said["backup_ms"]), int(said["restored_ms"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StartupError(
            f"{path} cannot be read", "restore the backup again, so that boards are told"
        ) from error


def remove(directory: Path) -> None:
    """The gateway has put it on record."""
    (directory / FILE_NAME).unlink(missing_ok=True)


def _ms(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)
