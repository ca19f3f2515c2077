"""A board's profile is called by its role and its chip."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Rename the one profile that there was."""
    op.execute("UPDATE device SET board = 'door-esp32' WHERE board = 'esp32-devkit-door'")
