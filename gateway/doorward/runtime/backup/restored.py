"""DIR/restored.json: what tells a gateway that its databases come from a backup, and when they were put in place.

`backup restore` leaves it, the first start puts it on record, and it stays: a board that was away meanwhile may come
back much later, and only this explains why it knows more than the gateway does.
"""

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from doorward import private_file
from doorward.domain.instants import instant, milliseconds
from doorward.errors import StartupError

FILE_NAME = "restored.json"
_FOREVER = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Mark:
    """UTC milliseconds. recorded: the audit has it."""

    backup_ms: int
    restored_ms: int
    recorded: bool = False

    @property
    def news(self) -> str | None:
        """What the audit has to say about it; None when it has said so."""
        since = instant(self.backup_ms).isoformat(timespec="seconds")
        told = f"Restored from a backup of {since}. What happened since is not on record here."
        return None if self.recorded else told


class Sessions(Protocol):
    """Who is signed in."""

    async def drop_sessions_before(self, at_ms: int) -> None: ...


def mark(directory: Path, made: datetime) -> None:
    """Mark a restored installation: its databases stand as they were at `made`."""
    _write(directory, Mark(milliseconds(made), milliseconds(datetime.now(UTC))))


def read(directory: Path) -> Mark | None:
    """The mark, if the databases were ever restored. Raises StartupError."""
    path = directory / FILE_NAME
    try:
        return Mark(**json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise StartupError(
            f"{path} cannot be read, and without it boards may be refused",
            "restore the backup again",
        ) from error


async def settle(directory: Path, found: Mark | None, sessions: Sessions) -> int | None:
    """When the databases were last restored, in UTC milliseconds; None if they never were. The audit has its row.

    Once after a restore every session ends: one that was ended since the backup would live again.
    """
    if found is None:
        return None
    if not found.recorded:
        await sessions.drop_sessions_before(_FOREVER)
        _write(directory, replace(found, recorded=True))
    return found.restored_ms


def _write(directory: Path, found: Mark) -> None:
    private_file.replace(directory / FILE_NAME, json.dumps(asdict(found)).encode())
