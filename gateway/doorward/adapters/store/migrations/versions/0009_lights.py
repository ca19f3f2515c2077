"""What a board is there for, and its name where it keeps no door; who may set lights."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Until now every board was a door's or a vault's, and named like its door."""
    op.add_column("device", sa.Column("role", sa.String, nullable=False, server_default="door"))
    op.add_column("device", sa.Column("name", sa.String))
    op.execute("UPDATE device SET role = 'vault' WHERE board LIKE 'vault-%'")
    table = sa.table("role_permission", sa.column("role"), sa.column("permission"))
    op.bulk_insert(table, [{"role": "Admin", "permission": "lights.set"}])
