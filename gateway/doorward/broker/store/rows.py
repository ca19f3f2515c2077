"""Rows into a table and out of it, many with one statement.

A statement a row would give the interpreter away and take it back for each of them; beside an event loop that is busy
each of these waits for a whole switch interval.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from typing import Any

_MOST = 128  # rows a statement: more gains nothing, and each size of it is kept compiled
_ONE = re.compile(r"(?<=VALUES )\([?, ]+\)")

Row = tuple[object, ...]


class Statement:
    """SQL with one `VALUES (?, …)`, which is repeated for as many rows as there are."""

    def __init__(self, sql: str) -> None:
        """Raise ValueError for SQL that takes no row."""
        found = _ONE.search(sql)
        if found is None:
            raise ValueError(f"no VALUES (?) in {sql!r}")
        one, head, tail = found[0], sql[: found.start()], sql[found.end() :]
        self._of_size = cache(lambda size: head + ", ".join([one] * size) + tail)

    def run(self, driver: Any, rows: Collection[Row]) -> None:
        """Run it for rows, which are as long as it has marks. Raises what the driver raises."""
        if not rows:
            return
        if len(rows) == 1:
            (row,) = rows
            driver.execute(self._of_size(1), row)
            return
        for part in _parts(list(rows)):
            driver.execute(self._of_size(len(part)), [value for row in part for value in row])


class Rows:
    """One table, written to with parameters in the order of its columns, of which those of the key come first."""

    def __init__(self, table: str, key: Sequence[str], rest: Sequence[str] = ()) -> None:
        """Say once what is run for every message."""
        self.table = table
        self.columns = (*key, *rest)
        # Never REPLACE: it would delete the old session row and cascade to its queue.
        same = ", ".join(f"{name} = excluded.{name}" for name in rest)
        then = f"UPDATE SET {same}" if rest else "NOTHING"
        keys, names = ", ".join(key), ", ".join(self.columns)
        self._put = Statement(
            f"INSERT INTO {table} ({names}) VALUES ({_marks(self.columns)})"  # noqa: S608 - our own names
            f" ON CONFLICT ({keys}) DO {then}"
        )
        of_keys = f"({keys}) IN (VALUES ({_marks(key)}))"
        self._take_out = Statement(f"DELETE FROM {table} WHERE {of_keys}")  # noqa: S608 - ditto
        self.all = f"SELECT {names} FROM {table}"  # noqa: S608 - ditto

    def put(self, driver: Any, rows: Collection[Row]) -> None:
        """Insert rows, or replace those of the same key."""
        self._put.run(driver, rows)

    def take_out(self, driver: Any, keys: Collection[Row]) -> None:
        """Delete the rows of these keys; those that are not there are no error."""
        self._take_out.run(driver, keys)


def _marks(columns: Sequence[str]) -> str:
    return ", ".join("?" * len(columns))


def _parts(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Pieces whose sizes are powers of two: few different statements, whatever the number of rows."""
    at = 0
    while at < len(rows):
        size = min(_MOST, 1 << (len(rows) - at).bit_length() - 1)
        yield rows[at : at + size]
        at += size
