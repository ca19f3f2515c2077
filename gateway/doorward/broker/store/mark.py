"""broker.db.mark: what broker.db held, told beside it. A file that was emptied, or lost its newest rows, opens well.

SQLite drops the rest of a write-ahead log from the first damaged page on, and makes a new database of an empty file,
without a word. Nobody would notice before users cannot come in, or somebody who was shut out can.
"""

import json
import logging
import secrets
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from doorward import private_file
from doorward.errors import DatabaseDamaged

_log = logging.getLogger(__name__)

# Kept in the header of the file, where the changes themselves are committed.
_GENERATION, _CHANGES = "application_id", "user_version"
_LARGEST = (1 << 31) - 1


@dataclass(frozen=True, slots=True)
class Mark:
    """generation: made up with the file; changes: how often users or rules were changed in it.

    lost: how many of these the file has lost since there is a mark. Whoever deletes the mark has seen to it.
    """

    generation: int
    changes: int
    lost: int = 0


class Marker:
    """Keeps the mark of one file; on the thread of its writer after `open`. It is the `Watch` of that writer."""

    def __init__(self, path: Path, mark: Mark) -> None:
        self._path = path
        self._mark = mark
        self._after: Mark | None = None
        self.lost = mark.lost

    @classmethod
    def open(cls, driver: Any, database: Path) -> "Marker":
        """Compare mark and file, which `driver` is open on; `lost`: changes of users and rules that are missing.

        Raises DatabaseDamaged when it is not the file that the mark tells of.
        """
        path = database.with_name(f"{database.name}.mark")
        told = _told(path)
        found = Mark(_read(driver, _GENERATION), _read(driver, _CHANGES))
        if told is None:
            if not found.generation:
                found = Mark(secrets.randbelow(_LARGEST) + 1, found.changes)
                _write(driver, _GENERATION, found.generation)
            _tell(path, found)
            return cls(path, found)
        if told.generation != found.generation:
            what = "is another than it was" if found.generation else "was emptied"
            raise DatabaseDamaged(
                f"{database} {what}: its users, rules and messages are not there",
                f"restore it from your backup; to go on without them, delete {path}",
            )
        lost = max(0, told.changes - found.changes)
        if lost:
            _log.error("%s has lost its last %d changes of users and rules", database, lost)
        mark = replace(found, lost=told.lost + lost)
        if mark != told:
            _tell(path, mark)
        return cls(path, mark)

    def changed(self, driver: Any) -> None:
        """Users or rules are changed by what is being committed."""
        self._after = replace(self._mark, changes=self._mark.changes % _LARGEST + 1)
        _write(driver, _CHANGES, self._after.changes)

    def begin(self, _driver: Any) -> None:
        """Nothing of this group was applied yet."""
        self._after = None

    def end(self, _driver: Any) -> None:
        """The commit follows."""

    def committed(self) -> None:
        """Tell of it; the next change tells of it otherwise."""
        if self._after is not None:
            self._mark, self._after = self._after, None
            try:
                _tell(self._path, self._mark)
            except OSError:
                return


def _told(path: Path) -> Mark | None:
    try:
        told = Mark(**json.loads(path.read_bytes()))
        for name, value in asdict(told).items():
            if type(value) is not int or not 0 <= value <= _LARGEST:
                raise ValueError(f"{name} is no number that a mark can have")
        return told
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise DatabaseDamaged(
            f"{path} cannot be read ({error})",
            "delete it when users and rules are as they should be: it is made anew",
        ) from error


def _tell(path: Path, mark: Mark) -> None:
    private_file.replace(path, json.dumps(asdict(mark)).encode())


def _read(driver: Any, pragma: str) -> int:
    return int(driver.execute(f"PRAGMA {pragma}").fetchone()[0])


def _write(driver: Any, pragma: str, value: int) -> None:
    driver.execute(f"PRAGMA {pragma} = {value}")
