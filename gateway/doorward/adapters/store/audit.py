"""The audit and the boards' logs in gateway.db."""

from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.sqlite import dialect, insert

from doorward.adapters.store import chain
from doorward.adapters.store import tables as t
from doorward.app.records import LogEntry, LogHead
from doorward.domain.audit import AuditRow, correction
from doorward.errors import Conflict
from doorward_core import gateway_messages, seal

_ROW = [t.audit.c[name] for name in chain.ROW]
# Compiled once: for every entry, building the statement cost five times what SQLite takes.
_entry_columns = [c.name for c in t.device_event.columns if c.name != "id"]
_entry_values = attrgetter(*_entry_columns)
_PUT_EVENT = str(
    insert(t.device_event)
    .on_conflict_do_nothing()
    .returning(t.device_event.c.id)
    .compile(dialect=dialect(), column_keys=_entry_columns)
)
_NEWEST = "SELECT max(seq) FROM device_event WHERE device = ? AND epoch = ?"
_DIGEST = "SELECT digest FROM device_event WHERE device = ? AND epoch = ? AND seq = ?"


def append(connection: Connection, row: AuditRow) -> AuditRow | None:
    """Add a row. For a tap that is known already: a correction if the accounts differ, else None."""
    stored = chain.add(connection, row)
    if stored is not None:
        return stored
    same = (
        (t.audit.c.device == row.device)
        & (t.audit.c.request == row.request)
        & (t.audit.c.kind == row.kind)
    )
    known = AuditRow(**connection.execute(select(*_ROW).where(same)).mappings().one())
    second = correction(known, row)
    return chain.add(connection, second) if second is not None else None


def recent(
    connection: Connection, limit: int, before: int | None, door_id: str | None
) -> list[AuditRow]:
    """The newest rows, newest first."""
    query = select(*_ROW).order_by(t.audit.c.id.desc()).limit(limit)
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
    if connection.exec_driver_sql(_PUT_EVENT, _entry_values(entry)).scalar() is None:
        known = log_entry(connection, entry.device, entry.epoch, entry.seq)
        if known is None or known.digest != entry.digest:
            raise Conflict("an event that differs from the stored one")
        return []
    place = f"{entry.epoch}.{entry.seq}:{entry.digest.hex()}"
    stored = (append(connection, replace(row, entry=place)) for row in rows)
    return [row for row in stored if row is not None]


def store_gap(connection: Connection, gap: LogEntry, rows: Sequence[AuditRow]) -> list[AuditRow]:
    """Keep the place behind which a board's log goes on, whatever is stored before it, and what that means."""
    if connection.exec_driver_sql(_PUT_EVENT, _entry_values(gap)).scalar() is None:
        return []
    place = f"{gap.epoch}.{gap.seq}:{gap.digest.hex()}"
    stored = (append(connection, replace(row, entry=place)) for row in rows)
    return [row for row in stored if row is not None]


def log_gaps(connection: Connection) -> dict[str, int]:
    """When the last gap of each board's log was found."""
    columns = t.device_event.c
    latest = select(columns.device, func.max(columns.received_ms)).where(columns.body == b"")
    found = connection.execute(latest.group_by(columns.device))
    return dict(list(found))


def _continues(connection: Connection, entry: LogEntry) -> bool:
    gone = gateway_messages.lost(entry.body)
    if gone is not None:
        log = (entry.device, entry.epoch)
        newest = connection.exec_driver_sql(_NEWEST, log).scalar() or 0
        return gone[0] <= newest + 1 and entry.digest == gone[2]
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


def told_since(connection: Connection, device: str, received_ms: int) -> tuple[bytes, ...]:
    """What a board's logs have brought since then, in their order."""
    columns = t.device_event.c
    here = (columns.device == device) & (columns.received_ms >= received_ms)
    found = select(columns.body).where(here).order_by(columns.received_ms, columns.seq)
    return tuple(connection.execute(found).scalars())


def log_epochs(connection: Connection) -> dict[str, dict[str, LogHead]]:
    """How far every board's logs are held, the former ones too, by their epochs."""
    columns = t.device_event.c
    found: dict[str, dict[str, LogHead]] = {}
    newest = select(func.max(columns.id)).group_by(columns.device, columns.epoch)
    for row in connection.execute(select(t.device_event).where(columns.id.in_(newest))):
        found.setdefault(row.device, {})[row.epoch] = LogHead(row.epoch, row.seq, row.digest)
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
