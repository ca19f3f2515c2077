"""Where users came in from before, so that a restart does not make strangers of them."""  # noqa: INP001 - Alembic loads it by its path

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nobody has come in yet."""
    op.create_table(
        "welcome",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("place", sa.String, primary_key=True),
    )
