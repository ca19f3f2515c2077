"""The audit becomes a chain, and append-only for the database too."""

import os
import time

import sqlalchemy as sa
from alembic import op

from doorward.domain.audit import CHAINED, GATEWAY, AuditRow
from doorward.domain.audit_chain import ORIGIN, PERSONAL, PUBLIC, SALT_BYTES, Head, follow

revision = "0005"
down_revision = "0004"

_FORMER = (
    "at_ms", "kind", "source", "reporter", "device", "request", "door_id", "door_name", "person_id", "person",
    "card_tail", "granted", "rule", "why", "actor", "note",
)  # fmt: skip


def upgrade() -> None:
    """Add the chain's columns, chain what is there in its order, and refuse changes from now on."""
    with op.batch_alter_table("audit") as audit:
        audit.add_column(sa.Column("entry", sa.String))
        audit.add_column(sa.Column("digest", sa.LargeBinary))
        audit.add_column(sa.Column("salt", sa.LargeBinary))
        audit.add_column(sa.Column("erased", sa.LargeBinary))
    _chain()
    with op.batch_alter_table("audit") as audit:
        audit.alter_column("digest", existing_type=sa.LargeBinary, nullable=False)
    op.execute(
        "CREATE TRIGGER audit_keeps_rows BEFORE DELETE ON audit "
        "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
    )
    # The one change that there may be: what names a person is erased, and its commitment takes its place.
    kept = " AND ".join(f"NEW.{name} IS OLD.{name}" for name in ("id", *PUBLIC, "digest"))
    gone = " AND ".join(f"NEW.{name} IS NULL" for name in (*PERSONAL, "salt"))
    op.execute(
        "CREATE TRIGGER audit_keeps_content BEFORE UPDATE ON audit "
        f"WHEN NOT (OLD.erased IS NULL AND length(NEW.erased) = 32 AND {kept} AND {gone}) "
        "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
    )


def _chain() -> None:
    connection = op.get_bind()
    head = ORIGIN
    audit = sa.table("audit", *(sa.column(name) for name in ("id", *_FORMER)))
    for stored in connection.execute(audit.select().order_by(audit.c.id)).mappings().all():
        told = dict(stored)
        number = told.pop("id")
        told["granted"] = None if told["granted"] is None else bool(told["granted"])
        link = follow(head, AuditRow(**told), os.urandom(SALT_BYTES))
        connection.execute(
            sa.text("UPDATE audit SET id = :id, digest = :digest, salt = :salt WHERE id = :old"),
            {"id": link.row.id, "digest": link.digest, "salt": link.salt, "old": number},
        )
        head = Head(link.row.id, link.digest)
    if head != ORIGIN:
        _say_so(connection, head)


def _say_so(connection: sa.Connection, head: Head) -> None:
    """Rows from before have no anchors: this one tells them from rows whose anchors were taken away."""
    why = f"The {head.count} rows before this one were chained by an upgrade."
    row = AuditRow(time.time_ns() // 1_000_000, CHAINED, GATEWAY, why=why)
    link = follow(head, row, os.urandom(SALT_BYTES))
    fields = ("id", "at_ms", "kind", "source", "reporter", "why")
    values = {name: getattr(link.row, name) for name in fields}
    values |= {"digest": link.digest, "salt": link.salt}
    audit = sa.table("audit", *(sa.column(name) for name in values))
    connection.execute(audit.insert().values(values))
