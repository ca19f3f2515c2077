"""A session has an owner beside its client id; a message knows its QoS, and how far its QoS 2 handshake is."""  # noqa: INP001 - Alembic loads it by its path

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Until now a client id was its owner's name, and every message was sent at QoS 1."""
    op.add_column("session", sa.Column("owner", sa.String, nullable=False, server_default=""))
    op.execute("UPDATE session SET owner = client")
    op.add_column("message", sa.Column("qos", sa.Integer, nullable=False, server_default="1"))
    op.add_column("message", sa.Column("released", sa.Boolean, nullable=False, server_default="0"))
