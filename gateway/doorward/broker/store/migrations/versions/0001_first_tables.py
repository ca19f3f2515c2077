"""The first tables: principals, sessions with their subscriptions and queues, retained messages."""  # noqa: INP001 - Alembic loads it by its path

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _client(*, key: bool = False) -> sa.Column[str]:
    owner = sa.ForeignKey("session.client", ondelete="CASCADE")
    return sa.Column("client", sa.String, owner, primary_key=key, nullable=False)


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "principal",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("secret_sha256", sa.LargeBinary(32), nullable=False),
    )
    op.create_table("session", sa.Column("client", sa.String, primary_key=True))
    op.create_table(
        "subscription",
        _client(key=True),
        sa.Column("topic_filter", sa.String, primary_key=True),
        sa.Column("qos", sa.Integer, nullable=False),
    )
    op.create_table(
        "message",
        sa.Column("row", sa.Integer, primary_key=True, autoincrement=False),
        _client(),
        sa.Column("topic", sa.String, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("retain", sa.Boolean, nullable=False),
        sa.Column("packet_id", sa.Integer),
    )
    op.create_index("ix_message_client", "message", ["client"])
    op.create_table(
        "received",
        _client(key=True),
        sa.Column("packet_id", sa.Integer, primary_key=True),
    )
    op.create_table(
        "retained",
        sa.Column("topic", sa.String, primary_key=True),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("qos", sa.Integer, nullable=False),
    )
