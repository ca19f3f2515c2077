"""Who left what is retained, and a log that is found and cut by action."""  # noqa: INP001 - Alembic loads it by its path

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nobody knows who left what was retained before."""
    op.add_column("retained", sa.Column("owner", sa.String, nullable=False, server_default=""))
    op.create_index("ix_log_action", "log", ["action", "number"])
