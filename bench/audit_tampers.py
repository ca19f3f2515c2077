"""What somebody who can write to gateway.db may do to the audit, and the first row that a check has to name.

For tests and for `bench/trust.py`. `TAMPERS` work on the raw connection of a database whose audit has `ROWS` rows as
`row` makes them; the connection is in a transaction, so that the next one finds everything as it was.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from doorward.domain.audit import AuditRow
from doorward.domain.audit_chain import Head, commitment, digest
from doorward.domain.audit_walk import Finding

ROWS = 10_000
MIDDLE = ROWS // 2
_COLUMNS = (
    "id", "at_ms", "kind", "source", "reporter", "device", "request", "door_id", "door_name", "person_id", "person",
    "card_tail", "granted", "rule", "why", "actor", "note", "entry", "digest", "salt", "erased",
)  # fmt: skip
_ALL = ", ".join(_COLUMNS)
_EDITS: dict[str, object] = {
    "at_ms": 1, "kind": "door.open", "source": "board", "reporter": "board", "device": "back", "request": "00ff",
    "door_id": "vault", "door_name": "Vault", "person_id": 8, "person": "Ana Ruiz", "card_tail": "0000", "granted": 0,
    "rule": 9, "why": "Because.", "actor": "sam", "note": "", "entry": "a.1:00", "digest": bytes(32),
    "salt": bytes(16), "erased": bytes(32),
}  # fmt: skip
_ODD: dict[str, object] = {
    "at_ms": 1.5, "kind": b"access.decision", "person": None, "note": b"\xff", "granted": 2, "why": "", "salt": None,
}  # fmt: skip


def row(number: int) -> AuditRow:
    """The row with this number, from 1 on."""
    granted = number % 3 > 0
    return AuditRow(
        1_700_000_000_000 + 1_000 * number,
        "access.decision",
        "gateway",
        "gateway",
        "front",
        f"{number:016x}",
        "front",
        "Front door",
        number % 700,
        f"Person {number % 700}",
        f"{number % 65536:04X}",
        granted,
        1 if granted else 4,
        "Person may." if granted else "Person may not.",
    )


@dataclass(frozen=True)
class Tamper:
    """One thing to do. row: the first row that is wrong afterwards. needs_head: the rows alone do not show it.

    kinds: what it may be taken for; some are the same in the end.
    """

    name: str
    do: Callable[[Any], None]
    row: int
    needs_head: bool = False
    kinds: tuple[str, ...] = ("edited",)


def names(tamper: Tamper, finding: Finding) -> bool:
    """Whether the finding leads to the row."""
    return finding.device is None and finding.row <= tamper.row <= (finding.until or finding.row)


def unlocked(database: Any) -> None:
    """Take away what keeps our own mistakes out: who writes SQL can."""
    for (name,) in database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    ).fetchall():
        database.execute(f"DROP TRIGGER {name}")


def _edit(column: str, value: object, number: int = MIDDLE) -> Callable[[Any], None]:
    return lambda db: db.execute(f"UPDATE audit SET {column} = ? WHERE id = ?", (value, number))


def _delete(first: int, last: int, *, renumber: bool = False) -> Callable[[Any], None]:
    def do(db: Any) -> None:
        db.execute("DELETE FROM audit WHERE id BETWEEN ? AND ?", (first, last))
        if renumber:
            _shift(db, last + 1, first - last - 1)

    return do


def _shift(db: Any, first: int, by: int) -> None:
    """Renumber the rows from `first` on, out of each other's way."""
    far = 10 * ROWS
    db.execute("UPDATE audit SET id = id + ? WHERE id >= ?", (far, first))
    db.execute("UPDATE audit SET id = id - ? WHERE id >= ?", (far - by, far))


def _swap(one: int, two: int, columns: tuple[str, ...] = _COLUMNS[1:]) -> Callable[[Any], None]:
    def do(db: Any) -> None:
        names = ", ".join(columns)
        query = f"SELECT {names} FROM audit WHERE id = ?"
        first, second = (db.execute(query, (number,)).fetchone() for number in (one, two))
        sets = ", ".join(f"{name} = ?" for name in columns)
        # A tap's request is unique: it has to be out of the way for a moment.
        db.execute("UPDATE audit SET request = NULL WHERE id IN (?, ?)", (one, two))
        db.execute(f"UPDATE audit SET {sets} WHERE id = ?", (*second, one))
        db.execute(f"UPDATE audit SET {sets} WHERE id = ?", (*first, two))

    return do


def _head(db: Any, number: int) -> Head:
    found = db.execute("SELECT digest FROM audit WHERE id = ?", (number,)).fetchone()
    return Head(number, found[0] if found else bytes(32))


def _put(db: Any, made: AuditRow, before: bytes | None) -> None:
    salt = os.urandom(16)
    end = (
        sha256().digest()
        if before is None
        else digest(before, made.id, made, commitment(made, salt))
    )
    values = [getattr(made, name) for name in _COLUMNS[:-3]]
    marks = ", ".join("?" * len(_COLUMNS))
    db.execute(
        f"INSERT OR REPLACE INTO audit ({_ALL}) VALUES ({marks})", (*values, end, salt, None)
    )


def _insert(number: int, *, chained: bool) -> Callable[[Any], None]:
    def do(db: Any) -> None:
        _shift(db, number, 1)
        forged = replace(row(2 * ROWS), id=number)
        _put(db, forged, _head(db, number - 1).digest if chained else None)

    return do


def _put_at(number: int) -> Callable[[Any], None]:
    return lambda db: _put(db, replace(row(2 * ROWS), id=number), None)


def _rewrite(
    first: int, change: Callable[[AuditRow], AuditRow], last: int = ROWS
) -> Callable[[Any], None]:
    """Compute the whole chain anew from `first` on, with one row that says something else."""

    def do(db: Any) -> None:
        db.execute("DELETE FROM audit WHERE id > ?", (last,))
        before = _head(db, first - 1).digest
        for number in range(first, last + 1):
            made = replace(row(number), id=number)
            _put(db, change(made) if number == first else made, before)
            before = _head(db, number).digest

    return do


def _deny(made: AuditRow) -> AuditRow:
    return replace(made, granted=not made.granted)


def _hide(made: AuditRow) -> AuditRow:
    return replace(made, person="Nobody", person_id=None)


def _erase(db: Any) -> None:
    """As a real erasure would do it, and without the row that says so."""
    salt = db.execute("SELECT salt FROM audit WHERE id = ?", (MIDDLE,)).fetchone()[0]
    kept = commitment(row(MIDDLE), salt)
    db.execute(
        "UPDATE audit SET erased = ?, salt = NULL, person_id = NULL, person = NULL, card_tail = NULL, why = NULL, "
        "actor = NULL, note = NULL WHERE id = ?",
        (kept, MIDDLE),
    )


TAMPERS: tuple[Tamper, ...] = (
    *(Tamper(f"edit {name}", _edit(name, value), MIDDLE) for name, value in _EDITS.items()),
    *(
        Tamper(f"edit {name} to {value!r}", _edit(name, value), MIDDLE)
        for name, value in _ODD.items()
    ),
    Tamper("edit the number", _edit("id", 3 * ROWS), MIDDLE, kinds=("deleted",)),
    Tamper("edit the first row", _edit("person", "Ana Ruiz", 1), 1),
    Tamper("edit the last row", _edit("person", "Ana Ruiz", ROWS), ROWS),
    Tamper("delete the first", _delete(1, 1), 1, kinds=("deleted",)),
    Tamper("delete the first, renumber", _delete(1, 1, renumber=True), 1, kinds=("deleted",)),
    Tamper("delete one", _delete(MIDDLE, MIDDLE), MIDDLE, kinds=("deleted",)),
    Tamper(
        "delete one, renumber", _delete(MIDDLE, MIDDLE, renumber=True), MIDDLE, kinds=("deleted",)
    ),
    Tamper("delete a hundred", _delete(MIDDLE, MIDDLE + 99), MIDDLE, kinds=("deleted",)),
    Tamper("delete the last", _delete(ROWS, ROWS), ROWS, needs_head=True, kinds=("truncated",)),
    Tamper(
        "delete the last thousand",
        _delete(ROWS - 999, ROWS),
        ROWS - 999,
        needs_head=True,
        kinds=("truncated",),
    ),
    Tamper("delete all", _delete(1, ROWS), 1, needs_head=True, kinds=("truncated",)),
    Tamper("swap neighbours", _swap(MIDDLE, MIDDLE + 1), MIDDLE, kinds=("reordered",)),
    Tamper("swap two", _swap(MIDDLE, MIDDLE + 77), MIDDLE, kinds=("reordered",)),
    Tamper(
        "swap two, digests stay",
        _swap(MIDDLE, MIDDLE + 77, _COLUMNS[1:-3]),
        MIDDLE,
    ),
    Tamper("swap first and last", _swap(1, ROWS), 1, kinds=("reordered",)),
    Tamper("insert", _insert(MIDDLE, chained=False), MIDDLE, kinds=("inserted",)),
    # It follows what is before it; what follows it does not.
    Tamper("insert, chained", _insert(MIDDLE, chained=True), MIDDLE + 1),
    Tamper("insert before the last", _insert(ROWS, chained=False), ROWS, kinds=("inserted",)),
    Tamper("insert at the end", _put_at(ROWS + 1), ROWS + 1),
    Tamper("insert far beyond", _put_at(2 * ROWS), ROWS + 1, kinds=("deleted",)),
    Tamper("insert before the first", _put_at(0), 0, kinds=("inserted",)),
    Tamper("insert at the lowest number", _put_at(-(2**63)), -(2**63), kinds=("inserted",)),
    Tamper(
        "rewrite all from one on",
        _rewrite(MIDDLE, _deny),
        MIDDLE,
        needs_head=True,
        kinds=("rewritten",),
    ),
    Tamper("rewrite from the start", _rewrite(1, _hide), 1, needs_head=True, kinds=("rewritten",)),
    Tamper("rewrite the last", _rewrite(ROWS, _hide), ROWS, needs_head=True, kinds=("rewritten",)),
    Tamper(
        "rewrite and shorten",
        _rewrite(MIDDLE, _hide, ROWS - 10),
        MIDDLE,
        needs_head=True,
        kinds=("rewritten",),
    ),
    Tamper("erase without a word", _erase, MIDDLE, kinds=("erased",)),
)
