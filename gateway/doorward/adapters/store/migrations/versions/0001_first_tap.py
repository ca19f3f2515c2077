"""Everything that the first tap needs: people, cards, rules, audit, the boards' logs, operators."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    _people()
    _rules()
    _audit()
    _devices()
    _operators()


def _people() -> None:
    op.create_table(
        "person",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(collation="NOCASE"), nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("valid_from", sa.Integer),
        sa.Column("valid_until", sa.Integer),
        sa.Column("added_ms", sa.Integer, nullable=False),
        sa.UniqueConstraint("name", name="uq_person_name"),
    )
    op.create_table(
        "credential",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("uid", sa.LargeBinary, nullable=False),
        sa.Column("person_id", sa.Integer, sa.ForeignKey("person.id"), nullable=False),
        sa.Column("strength", sa.Integer, nullable=False),
        sa.Column("added_ms", sa.Integer, nullable=False),
        sa.Column("revoked_ms", sa.Integer),
        sa.UniqueConstraint("uid", name="uq_credential_uid"),
    )
    op.create_index("ix_credential_person_id", "credential", ["person_id"])


def _rules() -> None:
    op.create_table(
        "schedule",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(collation="NOCASE"), nullable=False),
        sa.UniqueConstraint("name", name="uq_schedule_name"),
    )
    op.create_table(
        "schedule_window",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("schedule_id", sa.Integer, sa.ForeignKey("schedule.id"), nullable=False),
        sa.Column("day_mask", sa.Integer, nullable=False),
        sa.Column("start_minute", sa.Integer, nullable=False),
        sa.Column("end_minute", sa.Integer, nullable=False),
    )
    op.create_table(
        "door",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("name", sa.String(collation="NOCASE"), nullable=False),
        sa.Column("device", sa.String, nullable=False),
        sa.Column("strike_ms", sa.Integer, nullable=False),
        sa.Column("cap_ms", sa.Integer, nullable=False),
        sa.Column("held_ms", sa.Integer, nullable=False),
        sa.Column("min_strength", sa.Integer, nullable=False),
        sa.Column("lockdown", sa.Boolean, nullable=False),
        sa.UniqueConstraint("name", name="uq_door_name"),
        sa.UniqueConstraint("device", name="uq_door_device"),
    )
    op.create_table(
        "access_level",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(collation="NOCASE"), nullable=False),
        sa.UniqueConstraint("name", name="uq_access_level_name"),
    )
    op.create_table(
        "level_grant",
        sa.Column("level_id", sa.Integer, sa.ForeignKey("access_level.id"), primary_key=True),
        sa.Column("door_id", sa.String, sa.ForeignKey("door.id"), primary_key=True),
        sa.Column("schedule_id", sa.Integer, sa.ForeignKey("schedule.id"), primary_key=True),
    )
    op.create_table(
        "person_level",
        sa.Column("person_id", sa.Integer, sa.ForeignKey("person.id"), primary_key=True),
        sa.Column("level_id", sa.Integer, sa.ForeignKey("access_level.id"), primary_key=True),
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at_ms", sa.Integer, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("reporter", sa.String, nullable=False),
        sa.Column("device", sa.String),
        sa.Column("request", sa.String),
        sa.Column("door_id", sa.String),
        sa.Column("door_name", sa.String),
        sa.Column("person_id", sa.Integer),
        sa.Column("person", sa.String),
        sa.Column("card_tail", sa.String),
        sa.Column("granted", sa.Boolean),
        sa.Column("rule", sa.Integer),
        sa.Column("why", sa.String),
        sa.Column("actor", sa.String),
        sa.Column("note", sa.String),
        sa.UniqueConstraint("device", "request", "kind", name="uq_audit_device_request_kind"),
    )
    op.create_index("ix_audit_door_id_id", "audit", ["door_id", "id"])


def _devices() -> None:
    op.create_table(
        "device_event",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("device", sa.String, nullable=False),
        sa.Column("epoch", sa.String, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("received_ms", sa.Integer, nullable=False),
        sa.UniqueConstraint("device", "epoch", "seq", name="uq_device_event_device_epoch_seq"),
    )
    op.create_table(
        "device_cache",
        sa.Column("device", sa.String, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("issued_ms", sa.Integer, nullable=False),
        sa.Column("file", sa.LargeBinary, nullable=False),
    )


def _operators() -> None:
    op.create_table(
        "operator",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("username", sa.String(collation="NOCASE"), nullable=False),
        sa.Column("password", sa.String, nullable=False),
        sa.Column("added_ms", sa.Integer, nullable=False),
        sa.UniqueConstraint("username", name="uq_operator_username"),
    )
    op.create_table(
        "session",
        sa.Column("token", sa.LargeBinary, primary_key=True),
        sa.Column("username", sa.String, nullable=False),
        sa.Column("csrf", sa.String, nullable=False),
        sa.Column("expires_ms", sa.Integer, nullable=False),
    )
