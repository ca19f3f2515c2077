"""Users with passwords, rules that can be edited, and the log."""  # noqa: INP001 - Alembic loads it by its path

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# As they shipped with this step (publish, subscribe); they can be edited.
_SHIPPED = (
    ("role:Admin", "#", True, True),
    ("role:Admin", "$SYS/#", False, True),
    ("role:Teacher", "school/notices/#", True, True),
    ("role:Teacher", "school/students/#", False, True),
    ("role:Teacher", "users/%u/#", True, True),
    ("role:Student", "school/notices/#", False, True),
    ("role:Student", "school/students/%u/#", True, True),
    ("role:Student", "users/%u/#", True, True),
    ("role:User", "users/%u/#", True, True),
    ("role:Guest", "school/notices/#", False, True),
)


def upgrade() -> None:
    """Create the tables, with the rules of the roles that ship."""
    op.create_table(
        "user",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("roles", sa.String, nullable=False),
        sa.Column("password", sa.String, nullable=False),
    )
    rule = op.create_table(
        "rule",
        sa.Column("subject", sa.String, primary_key=True),
        sa.Column("effect", sa.String, primary_key=True),
        sa.Column("topic_filter", sa.String, primary_key=True),
        sa.Column("publish", sa.Boolean, nullable=False),
        sa.Column("subscribe", sa.Boolean, nullable=False),
    )
    op.bulk_insert(
        rule,
        [
            {
                "subject": subject,
                "effect": "allow",
                "topic_filter": text,
                "publish": publish,
                "subscribe": subscribe,
            }
            for subject, text, publish, subscribe in _SHIPPED
        ],
    )
    op.create_table(
        "log",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at_ms", sa.Integer, nullable=False),
        sa.Column("action", sa.String, nullable=False),
        sa.Column("principal", sa.String, nullable=False),
        sa.Column("client", sa.String, nullable=False),
        sa.Column("topic", sa.String, nullable=False),
        sa.Column("qos", sa.Integer),
        sa.Column("size", sa.Integer),
        sa.Column("detail", sa.String, nullable=False),
        sa.Column("more", sa.Integer, nullable=False),
    )
