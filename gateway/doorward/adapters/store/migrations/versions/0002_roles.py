"""Roles: what each operator may do. Who was an operator before could do everything, and becomes an Admin."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

# As they shipped with this step; later ones may edit them.
_ALL = (
    "audit.export audit.see devices.edit devices.see doors.open doors.see operators.edit "
    "people.edit people.see policy.ask system.see"
)
_SHIPPED = {
    "Admin": _ALL,
    "Teacher": "audit.see devices.see doors.open doors.see people.see policy.ask",
    "Student": "devices.see doors.see",
    "User": "doors.open doors.see",
    "Guest": "doors.see",
}


def upgrade() -> None:
    """Create the roles, and give every operator one."""
    role = op.create_table(
        "role", sa.Column("name", sa.String(collation="NOCASE"), primary_key=True)
    )
    permission = op.create_table(
        "role_permission",
        sa.Column(
            "role",
            sa.String(collation="NOCASE"),
            sa.ForeignKey("role.name"),
            primary_key=True,
        ),
        sa.Column("permission", sa.String, primary_key=True),
    )
    op.bulk_insert(role, [{"name": name} for name in _SHIPPED])
    op.bulk_insert(
        permission,
        [
            {"role": name, "permission": one}
            for name, told in _SHIPPED.items()
            for one in told.split()
        ],
    )
    # A new table and a copy: SQLite can neither add such a column nor tell Alembic of the collation.
    op.rename_table("operator", "operator_before")
    op.create_table(
        "operator",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("username", sa.String(collation="NOCASE"), nullable=False),
        sa.Column("password", sa.String, nullable=False),
        sa.Column(
            "role", sa.String(collation="NOCASE"), sa.ForeignKey("role.name"), nullable=False
        ),
        sa.Column("added_ms", sa.Integer, nullable=False),
        sa.UniqueConstraint("username", name="uq_operator_username"),
    )
    op.execute(
        "INSERT INTO operator (id, username, password, role, added_ms) "
        "SELECT id, username, password, 'Admin', added_ms FROM operator_before"
    )
    op.drop_table("operator_before")
