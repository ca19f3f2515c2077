"""Firmware for boards, what each was told to run, and whose firmware it takes."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Widen the boards; begin the shelf of firmware and the orders."""
    op.add_column("device", sa.Column("trusts", sa.String))
    op.create_table(
        "firmware",
        sa.Column("version", sa.String, primary_key=True),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("added_ms", sa.Integer, nullable=False),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("bundle", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "update_order",
        sa.Column("device", sa.String, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("rollout", sa.Integer, nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("version", sa.String, nullable=False),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("changed_ms", sa.Integer, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
    )
