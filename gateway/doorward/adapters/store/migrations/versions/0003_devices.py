"""The registry of boards. Those that keep a door already were trusted with it, and stay so."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the table, and enter the boards that doors know."""
    op.create_table(
        "device",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("board", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("adopted_ms", sa.Integer, nullable=False),
        sa.Column("serial", sa.String),
        sa.Column("claim", sa.LargeBinary),
        sa.Column("firmware", sa.String),
        sa.Column("announced_ms", sa.Integer),
        sa.Column("approved_ms", sa.Integer),
        sa.Column("revoked_ms", sa.Integer),
    )
    op.execute(
        "INSERT INTO device (id, board, state, adopted_ms, approved_ms) "
        "SELECT device, 'esp32-devkit-door', 'approved', 0, 0 FROM door"
    )
