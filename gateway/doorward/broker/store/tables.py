"""The tables of broker.db."""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

metadata = MetaData()

principals = Table(
    "principal",
    metadata,
    Column("name", String, primary_key=True),
    Column("role", String, nullable=False),
    Column("secret_sha256", LargeBinary(32), nullable=False),
)

users = Table(
    "user",
    metadata,
    Column("name", String, primary_key=True),
    Column("roles", String, nullable=False),  # their names, a space between them
    Column("password", String, nullable=False),  # argon2id
)

rules = Table(
    "rule",
    metadata,
    Column("subject", String, primary_key=True),
    Column("effect", String, primary_key=True),
    Column("topic_filter", String, primary_key=True),
    Column("publish", Boolean, nullable=False),
    Column("subscribe", Boolean, nullable=False),
)

log = Table(
    "log",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at_ms", Integer, nullable=False),
    Column("action", String, nullable=False),
    Column("principal", String, nullable=False),
    Column("client", String, nullable=False),
    Column("topic", String, nullable=False),
    Column("qos", Integer),
    Column("size", Integer),
    Column("detail", String, nullable=False),
    Column("more", Integer, nullable=False),
    Index("ix_log_action", "action", "number"),
)

sessions = Table(
    "session",
    metadata,
    Column("client", String, primary_key=True),
    Column("owner", String, nullable=False),
)


def _client(*, key: bool = False) -> Column[str]:
    owner = ForeignKey("session.client", ondelete="CASCADE")
    return Column("client", String, owner, primary_key=key, nullable=False)


subscriptions = Table(
    "subscription",
    metadata,
    _client(key=True),
    Column("topic_filter", String, primary_key=True),
    Column("qos", Integer, nullable=False),
)

messages = Table(
    "message",
    metadata,
    Column("row", Integer, primary_key=True, autoincrement=False),
    _client(),
    Column("topic", String, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("retain", Boolean, nullable=False),
    Column("packet_id", Integer),
    Column("qos", Integer, nullable=False),
    Column("released", Boolean, nullable=False),
    Index("ix_message_client", "client"),
)

received = Table(
    "received",
    metadata,
    _client(key=True),
    Column("packet_id", Integer, primary_key=True),
)

retained = Table(
    "retained",
    metadata,
    Column("topic", String, primary_key=True),
    Column("payload", LargeBinary, nullable=False),
    Column("qos", Integer, nullable=False),
    Column("owner", String, nullable=False, server_default=""),
)
