"""Second factors, lockouts, what a session is known by, and tokens for programs. All sessions begin anew."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Widen the operators, begin the sessions anew, create the tokens."""
    for column in (
        sa.Column("locked", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("seed", sa.LargeBinary),
        sa.Column("step", sa.Integer, nullable=False, server_default="0"),
        sa.Column("recovery", sa.LargeBinary, nullable=False, server_default=sa.text("x''")),
    ):
        op.add_column("operator", column)
    op.drop_table("session")
    op.create_table(
        "session",
        sa.Column("token", sa.LargeBinary, primary_key=True),
        sa.Column("username", sa.String, nullable=False),
        sa.Column("csrf", sa.String, nullable=False),
        sa.Column("expires_ms", sa.Integer, nullable=False),
        sa.Column("begun_ms", sa.Integer, nullable=False),
        sa.Column("seen_ms", sa.Integer, nullable=False),
        sa.Column("address", sa.String, nullable=False),
        sa.Column("agent", sa.String, nullable=False),
    )
    op.create_table(
        "api_token",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("prefix", sa.String, nullable=False),
        sa.Column("operator_id", sa.Integer, sa.ForeignKey("operator.id"), nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("scopes", sa.String, nullable=False),
        sa.Column("unattended", sa.Boolean, nullable=False),
        sa.Column("added_ms", sa.Integer, nullable=False),
        sa.Column("expires_ms", sa.Integer, nullable=False),
        sa.Column("used_ms", sa.Integer),
        sa.UniqueConstraint("digest", name="uq_api_token_digest"),
    )
    op.create_index("ix_api_token_operator_id", "api_token", ["operator_id"])
