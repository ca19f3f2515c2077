"""The audit and the boards' logs in gateway.db."""

from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter

from sqlalchemy import Connection, Table, func, select
from sqlalchemy.dialects.sqlite import dialect, insert

from doorward.adapters.store import tables as t
from doorward.app.ports import LogEntry, LogHead
from doorward.domain.audit import AuditRow, correction
from doorward.errors import Conflict
from doorward_core import seal


def _put(table: Table) -> str:
    """The insert that does nothing for a row that is there, and returns the new one's id."""
    statement = insert(table).on_conflict_do_nothing().returning(table.c.id)
    names = [column.name for column in table.columns if column is not table.c.id]
    return str(statement.compile(dialect=dialect(), column_keys=names))


# Compiled once: for every row of the way of a tap, building the statement cost five times what SQLite takes.
_PUT_AUDIT = _put(t.audit)
_audit_values = attrgetter(*(column.name for column in t.audit.columns if column.name != "id"))
_PUT_EVENT = _put(t.device_event)
_DIGEST = "SELECT digest FROM device_event WHERE device = ? AND epoch = ? AND seq = ?"
_event_values = attrgetter(*(c.name for c in t.device_event.columns if c.name != "id"))


def append(connection: Connection, row: AuditRow) -> AuditRow | None:
    """Add a row. For a tap that is known already: a correction if the accounts differ, else None."""
    stored = _insert(connection, row)
    if stored is not None:
        return stored
    same = (
        (t.audit.c.device == row.device)
        & (t.audit.c.request == row.request)
        & (t.audit.c.kind == row.kind)
    )
    known = AuditRow(**connection.execute(select(t.audit).where(same)).mappings().one())
    second = correction(known, row)
    return _insert(connection, second) if second is not None else None


def _insert(connection: Connection, row: AuditRow) -> AuditRow | None:
    key = connection.exec_driver_sql(_PUT_AUDIT, _audit_values(row)).scalar()
    return None if key is None else replace(row, id=key)


def recent(
    connection: Connection, limit: int, before: int | None, door_id: str | None
) -> list[AuditRow]:
    """The newest rows, newest first."""
    query = select(t.audit).order_by(t.audit.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(t.audit.c.id < before)
    if door_id is not None:
        query = query.where(t.audit.c.door_id == door_id)
    return [AuditRow(**row) for row in connection.execute(query).mappings()]


def store_event(
    connection: Connection, entry: LogEntry, rows: Sequence[AuditRow]
) -> list[AuditRow]:
    """Keep one entry of a board's log and what it means; what was there already adds nothing.

    Raises Conflict for an entry that does not continue what is stored, whatever the caller holds for stored.
    """
    if not _continues(connection, entry):
        raise Conflict("an event whose predecessor is not stored")
    if connection.exec_driver_sql(_PUT_EVENT, _event_values(entry)).scalar() is None:
        known = log_entry(connection, entry.device, entry.epoch, entry.seq)
        if known is None or known.digest != entry.digest:
            raise Conflict("an event that differs from the stored one")
        return []
    stored = (append(connection, row) for row in rows)
    return [row for row in stored if row is not None]


def store_gap(connection: Connection, gap: LogEntry, rows: Sequence[AuditRow]) -> list[AuditRow]:
    """Keep the place behind which a board's log goes on, whatever is stored before it, and what that means."""
    if connection.exec_driver_sql(_PUT_EVENT, _event_values(gap)).scalar() is None:
        return []
    stored = (append(connection, row) for row in rows)
    return [row for row in stored if row is not None]


def log_gaps(connection: Connection) -> dict[str, int]:
    """When the last gap of each board's log was found."""
    columns = t.device_event.c
    latest = select(columns.device, func.max(columns.received_ms)).where(columns.body == b"")
    found = connection.execute(latest.group_by(columns.device))
    return dict(list(found))


def _continues(connection: Connection, entry: LogEntry) -> bool:
    before: bytes | None = seal.CHAIN_START
    if entry.seq > 1:
        place = (entry.device, entry.epoch, entry.seq - 1)
        before = connection.exec_driver_sql(_DIGEST, place).scalar()
    if before is None:
        return False
    return entry.digest == seal.chain(before, entry.epoch, entry.seq, entry.body)


def log_entry(connection: Connection, device: str, epoch: str, seq: int) -> LogEntry | None:
    """One entry as it was stored."""
    columns = t.device_event.c
    here = (columns.device == device) & (columns.epoch == epoch) & (columns.seq == seq)
    row = connection.execute(select(t.device_event).where(here)).first()
    if row is None:
        return None
    return LogEntry(row.device, row.epoch, row.seq, row.body, row.digest, row.received_ms)


def log_epochs(connection: Connection) -> dict[str, set[str]]:
    """The epochs of every board's logs, the former ones too."""
    columns = t.device_event.c
    found: dict[str, set[str]] = {}
    for row in connection.execute(select(columns.device, columns.epoch).distinct()):
        found.setdefault(row.device, set()).add(row.epoch)
    return found


def log_heads(connection: Connection) -> dict[str, LogHead]:
    """The newest entry of every board's newest log."""
    columns = t.device_event.c
    # Entries arrive in order: the row inserted last is the head of the newest log.
    newest = select(func.max(columns.id)).group_by(columns.device)
    return {
        row.device: LogHead(row.epoch, row.seq, row.digest)
        for row in connection.execute(select(t.device_event).where(columns.id.in_(newest)))
    }
