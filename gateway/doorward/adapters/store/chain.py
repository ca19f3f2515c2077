"""The audit's chain in gateway.db: rows are added to its end, and its head is handed out after every commit."""

import os
import time
from collections.abc import Callable
from dataclasses import fields
from operator import attrgetter
from typing import Any

import structlog
from sqlalchemy import Connection, Engine

from doorward.app.signer_ports import Notary
from doorward.database import for_writing
from doorward.domain.audit import BROKEN, CHAINED, GATEWAY, RESTORED, UNPROVEN, AuditRow
from doorward.domain.audit_chain import ORIGIN, SALT_BYTES, Head, Link, follow
from doorward.domain.audit_walk import links, walk
from doorward.errors import DoorwardError, Unavailable

_log = structlog.get_logger(__name__)

ROW = tuple(field.name for field in fields(AuditRow))
_LINK = (*ROW, "digest", "salt", "erased")
_values = attrgetter(*ROW)
_PAGE = 2_000
# One tap, one verdict: a row that says what is said already is not added.
_COLUMNS = ", ".join(_LINK)
_PUT = (
    f"INSERT INTO audit ({_COLUMNS}) VALUES ({', '.join('?' * len(_LINK))}) "  # noqa: S608 - names of ours
    "ON CONFLICT DO NOTHING"
)
_LAST = "SELECT id, digest FROM audit ORDER BY id DESC LIMIT 1"
_AT = "SELECT id, digest FROM audit WHERE id = ?"
_KIND = "SELECT kind FROM audit WHERE id = ?"
_LINKS = (
    f"SELECT {_COLUMNS} FROM audit WHERE id >= ? AND id <= ? "  # noqa: S608 - names of ours
    f"ORDER BY id LIMIT {_PAGE}"
)
_STRETCH = "SELECT min(id), max(id) FROM audit WHERE at_ms >= ? AND at_ms < ?"
_FOREVER = 2**63 - 1
_BOOLEAN = {0: False, 1: True}
_GRANTED = ROW.index("granted")


def driver(connection: Connection) -> Any:
    """The database's own connection: for every row of the way of a tap, SQLAlchemy's costs more than SQLite."""
    return connection.connection.driver_connection


def last(connection: Connection) -> Head:
    """The end of the chain as it is stored."""
    found = driver(connection).execute(_LAST).fetchone()
    return ORIGIN if found is None else Head(*found)


def add(connection: Connection, row: AuditRow) -> AuditRow | None:
    """Append a row, read from its place in this very transaction; None if the row is there already."""
    link = follow(last(connection), row, os.urandom(SALT_BYTES))
    values = (*_values(link.row), link.digest, link.salt, None)
    return link.row if driver(connection).execute(_PUT, values).rowcount else None


def page(connection: Connection, first: int, until: int) -> list[Link]:
    """Rows from this one on, exactly as they are stored, also where other hands stored them."""
    raw = driver(connection)
    # Text that is no UTF-8 has to be told apart, not to end the search.
    raw.text_factory = lambda content: content.decode("utf-8", "surrogateescape")
    try:
        return [_link(values) for values in raw.execute(_LINKS, (first, until))]
    finally:
        raw.text_factory = str


def _link(values: tuple[Any, ...]) -> Link:
    row = list(values[: len(ROW)])
    if isinstance(row[_GRANTED], int):
        row[_GRANTED] = _BOOLEAN.get(row[_GRANTED], row[_GRANTED])
    return Link(AuditRow(*row), *values[len(ROW) :])


def stretch(
    connection: Connection, since_ms: int | None, until_ms: int | None
) -> tuple[Head, Head]:
    """The chain before and after a stretch of time: the shortest one that holds every row of it.

    Rows stand in the order in which they were heard of: some of an earlier or later time may be among them.
    """
    end = last(connection)
    if since_ms is None and until_ms is None:
        return ORIGIN, end
    span = (
        -_FOREVER if since_ms is None else since_ms,
        _FOREVER if until_ms is None else until_ms,
    )
    first, final = driver(connection).execute(_STRETCH, span).fetchone()
    if first is None:
        return end, end
    return at(connection, first - 1) or ORIGIN, at(connection, final) or end


def at(connection: Connection, count: int) -> Head | None:
    """The chain as it was after so many rows; None when there are fewer."""
    if count == 0:
        return ORIGIN
    found = driver(connection).execute(_AT, (count,)).fetchone()
    return None if found is None else Head(*found)


class Keeper:
    """Compares the chain with what was last handed out before it grows, and hands out its head after every commit.

    What it finds wrong it puts on record: the doors go on, and the audit says from where it was tampered with.
    """

    def __init__(self, notary: Notary, now_ms: Callable[[], int] | None = None) -> None:
        self._notary = notary
        self._now_ms = now_ms or (lambda: time.time_ns() // 1_000_000)
        self._head = ORIGIN
        self._next = ORIGIN
        self._told = True
        self._knows = False  # what is about to be handed out does not go on from the last head, and a row says so

    def start(self, engine: Engine, restored: str | None) -> None:
        """Take up where the notary's head is. `restored`: where the database comes from if it was just restored."""
        known, damage = self._known()
        with for_writing(engine).begin() as connection:
            end = last(connection)
            trouble = (1, damage) if damage else _trouble(connection, known, end)
            first, why = trouble or (end.count + 1, "")
            until = max(end.count, known.count if known else 0)
            if restored is not None:
                self._record(connection, RESTORED, first, until, restored)
            elif trouble is not None:
                self._record(connection, BROKEN, first, until, why)
            elif known is not None and end.count > known.count:
                why = "The gateway ended before it could anchor these rows."
                self._record(connection, UNPROVEN, known.count + 1, end.count, why)
            self._head = self._next = last(connection)
        self._hand_out(signed=True)

    def _known(self) -> tuple[Head | None, str | None]:
        """The notary's head; or what is wrong with its files."""
        try:
            head = self._notary.head()
        except Unavailable:
            raise
        except DoorwardError as error:
            return None, f"The anchors are damaged: {error.problem}."
        return None if head is None else Head(head.count, head.digest), None

    def begin(self, connection: Connection) -> None:
        """A transaction has begun: nobody else wrote rows, or took some away, since the last one."""
        end = last(connection)
        # The next one: a commit may have failed in our eyes, and be there all the same.
        if end not in (self._head, self._next):
            foreign = (self._head.count + 1, "The gateway did not write these rows.")
            first, why = _trouble(connection, self._head, end) or foreign
            self._record(connection, BROKEN, first, max(end.count, self._head.count), why)

    def end(self, connection: Connection) -> None:
        """A transaction is about to be committed."""
        self._next = last(connection)

    def committed(self) -> None:
        """It was."""
        if self._next != self._head or not self._told:
            self._head = self._next
            self._hand_out()

    def _hand_out(self, *, signed: bool = False) -> None:
        head = self._head
        try:
            self._notary.anchor(head.count, head.digest, signed=signed, restored=self._knows)
        except Exception:  # noqa: BLE001 - the rows are committed; the head follows with the next ones
            if self._told:
                _log.exception("audit.not_anchored", row=head.count)
            self._told = False
        else:
            self._told, self._knows = True, False

    def _record(self, connection: Connection, kind: str, first: int, until: int, why: str) -> None:
        """Say that the rows from `first` on are not as the gateway left them."""
        _log.error("audit.not_as_left", kind=kind, first=first, last=until, why=why)
        # From now on this row stands for what is missing, and is protected like every other one.
        self._knows = self._knows or kind != UNPROVEN
        add(
            connection, AuditRow(self._now_ms(), kind, GATEWAY, request=f"{first}-{until}", why=why)
        )


def _trouble(connection: Connection, known: Head | None, end: Head) -> tuple[int, str] | None:
    """The first row that is wrong, and why; None when the rows lead from `known` to `end`."""
    if known is None:
        if end == ORIGIN or driver(connection).execute(_KIND, (end.count,)).fetchone() == (
            CHAINED,
        ):
            return None
        return 1, "The anchors are gone."
    if end.count < known.count:
        return end.count + 1, f"The audit ended at row {end.count}, and had had {known.count}."
    if at(connection, known.count) != known:
        return known.count, f"Row {known.count} was not the one that was written."
    found = walk(links(lambda first: page(connection, first, end.count), known.count), known)
    for finding in found.findings[:1]:
        return finding.row, f"Row {finding.row} had been changed: {finding.detail}."
    return None
