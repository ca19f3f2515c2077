"""What an operator may do at the broker: an Admin may do everything, the others what somebody gives them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_NEW = ("mqtt.edit", "mqtt.publish", "mqtt.see")


def upgrade() -> None:
    """Give the new permissions to the Admins."""
    table = sa.table("role_permission", sa.column("role"), sa.column("permission"))
    op.bulk_insert(table, [{"role": "Admin", "permission": one} for one in _NEW])
