"""Holidays: days on which schedules are off."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Begin with none: every schedule goes on as it was."""
    op.create_table(
        "holiday",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.String(collation="NOCASE"), nullable=False),
        sa.Column("first_day", sa.Integer, nullable=False),
        sa.Column("last_day", sa.Integer, nullable=False),
        sa.Column("yearly", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_holiday"),
        sa.UniqueConstraint("name", name="uq_holiday_name"),
    )
