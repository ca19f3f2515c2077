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
from doorward.domain import audit
from doorward.domain.audit import AuditRow
from doorward.errors import StartupError

FILE_NAME = "restored.json"
_FOREVER = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class _Mark:
    """UTC milliseconds. recorded: the audit has it."""

    backup_ms: int
    restored_ms: int
    recorded: bool = False


class Store(Protocol):
    """What has to be done about it in the database."""

    async def append(self, row: AuditRow) -> AuditRow: ...

    async def drop_sessions_before(self, at_ms: int) -> None: ...


def mark(directory: Path, made: datetime) -> None:
    """Mark a restored installation: its databases stand as they were at `made`."""
    _write(directory, _Mark(_ms(made), _ms(datetime.now(UTC))))


async def put_on_record(directory: Path, store: Store) -> int | None:
    """When the databases were last restored, in UTC milliseconds; None if they never were. Raises StartupError.

    Once after a restore: an audit row that names the gap, and the end of every session, because one that was ended
    since the backup would live again.
    """
    found = _read(directory)
    if found is None:
        return None
    if not found.recorded:
        await store.drop_sessions_before(_FOREVER)
        since = datetime.fromtimestamp(found.backup_ms / 1000, UTC).isoformat(timespec="seconds")
        row = AuditRow(
            at_ms=found.restored_ms,
            kind=audit.RESTORED,
            source=audit.OPERATOR,
            why="Restored from a backup. What happened between the backup and this row is not on record here.",
            note=f"backup of {since}",
        )
        await store.append(row)
        _write(directory, replace(found, recorded=True))
    return found.restored_ms


def _read(directory: Path) -> _Mark | None:
    path = directory / FILE_NAME
    try:
        return _Mark(**json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise StartupError(
            f"{path} cannot be read, and without it boards may be refused",
            "restore the backup again",
        ) from error


def _write(directory: Path, found: _Mark) -> None:
    private_file.replace(directory / FILE_NAME, json.dumps(asdict(found)).encode())


def _ms(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)
