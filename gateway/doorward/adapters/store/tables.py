"""The tables of gateway.db. Times are UTC in whole milliseconds, days are since 2000-01-01.

Whole UIDs stand in `credential` alone, and nowhere outside this encrypted file.
"""

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
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

person = Table(
    "person",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(collation="NOCASE"), nullable=False, unique=True),
    Column("active", Boolean, nullable=False, default=True),
    Column("valid_from", Integer),
    Column("valid_until", Integer),
    Column("added_ms", Integer, nullable=False),
)

credential = Table(
    "credential",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("uid", LargeBinary, nullable=False, unique=True),
    Column("person_id", ForeignKey("person.id"), nullable=False, index=True),
    Column("strength", Integer, nullable=False),
    Column("added_ms", Integer, nullable=False),
    Column("revoked_ms", Integer),
)

schedule = Table(
    "schedule",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(collation="NOCASE"), nullable=False, unique=True),
)

schedule_window = Table(
    "schedule_window",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("schedule_id", ForeignKey("schedule.id"), nullable=False),
    Column("day_mask", Integer, nullable=False),
    Column("start_minute", Integer, nullable=False),
    Column("end_minute", Integer, nullable=False),
)

holiday = Table(
    "holiday",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(collation="NOCASE"), nullable=False, unique=True),
    Column("first_day", Integer, nullable=False),
    Column("last_day", Integer, nullable=False),
    Column("yearly", Boolean, nullable=False),
)

door = Table(
    "door",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String(collation="NOCASE"), nullable=False, unique=True),
    Column("device", String, nullable=False, unique=True),
    Column("strike_ms", Integer, nullable=False),
    Column("cap_ms", Integer, nullable=False),
    Column("held_ms", Integer, nullable=False),
    Column("min_strength", Integer, nullable=False),
    Column("lockdown", Boolean, nullable=False, default=False),
)

access_level = Table(
    "access_level",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(collation="NOCASE"), nullable=False, unique=True),
)

level_grant = Table(
    "level_grant",
    metadata,
    Column("level_id", ForeignKey("access_level.id"), primary_key=True),
    Column("door_id", ForeignKey("door.id"), primary_key=True),
    Column("schedule_id", ForeignKey("schedule.id"), primary_key=True),
)

person_level = Table(
    "person_level",
    metadata,
    Column("person_id", ForeignKey("person.id"), primary_key=True),
    Column("level_id", ForeignKey("access_level.id"), primary_key=True),
)

# Append-only, by triggers too: a migration that makes this table anew makes them anew. A person may go; what they did
# keeps their name, so the names are copied here. `domain.audit_chain` says what digest, salt and erased hold.
audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at_ms", Integer, nullable=False),
    Column("kind", String, nullable=False),
    Column("source", String, nullable=False),
    Column("reporter", String, nullable=False),
    Column("device", String),
    Column("request", String),
    Column("door_id", String),
    Column("door_name", String),
    Column("person_id", Integer),
    Column("person", String),
    Column("card_tail", String),
    Column("granted", Boolean),
    Column("rule", Integer),
    Column("why", String),
    Column("actor", String),
    Column("note", String),
    Column("entry", String),
    Column("digest", LargeBinary, nullable=False),
    Column("salt", LargeBinary),
    Column("erased", LargeBinary),
    # One tap, one verdict: NULL requests (everything that is no tap) do not collide.
    UniqueConstraint("device", "request", "kind"),
    Index(None, "door_id", "id"),
)

# The boards' logs, byte for byte as they were sealed.
device_event = Table(
    "device_event",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("device", String, nullable=False),
    Column("epoch", String, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("received_ms", Integer, nullable=False),
    UniqueConstraint("device", "epoch", "seq"),
)

# Every board that was ever adopted; a revoked one stays, so that it is known when it knocks.
device = Table(
    "device",
    metadata,
    Column("id", String, primary_key=True),
    Column("board", String, nullable=False),
    Column("state", String, nullable=False),
    Column("adopted_ms", Integer, nullable=False),
    Column("serial", String),
    Column("claim", LargeBinary),
    Column("firmware", String),
    Column("announced_ms", Integer),
    Column("approved_ms", Integer),
    Column("revoked_ms", Integer),
    Column("trusts", String),
    Column("role", String, nullable=False, server_default="door"),
    Column("name", String),
)

# Bundles for boards, whole and signed.
firmware = Table(
    "firmware",
    metadata,
    Column("version", String, primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    Column("added_ms", Integer, nullable=False),
    Column("actor", String, nullable=False),
    Column("bundle", LargeBinary, nullable=False),
)

# What each board was last told to run: the number never goes back.
update_order = Table(
    "update_order",
    metadata,
    Column("device", String, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("rollout", Integer, nullable=False),
    Column("place", Integer, nullable=False),
    Column("version", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("state", String, nullable=False),
    Column("changed_ms", Integer, nullable=False),
    Column("reason", String, nullable=False),
)

# What each board was last told about who may pass: the counter never goes back.
device_cache = Table(
    "device_cache",
    metadata,
    Column("device", String, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("issued_ms", Integer, nullable=False),
    Column("file", LargeBinary, nullable=False),
)

role = Table(
    "role",
    metadata,
    Column("name", String(collation="NOCASE"), primary_key=True),
)

role_permission = Table(
    "role_permission",
    metadata,
    Column("role", ForeignKey("role.name"), primary_key=True),
    Column("permission", String, primary_key=True),
)

operator = Table(
    "operator",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("username", String(collation="NOCASE"), nullable=False, unique=True),
    Column("password", String, nullable=False),
    Column("role", ForeignKey("role.name"), nullable=False),
    Column("locked", Boolean, nullable=False),
    # The seed is sealed once more, to its row and column; of recovery codes only digests are kept.
    Column("seed", LargeBinary),
    Column("step", Integer, nullable=False),
    Column("recovery", LargeBinary, nullable=False),
    Column("added_ms", Integer, nullable=False),
)

# Only the SHA-256 of a token is kept.
session = Table(
    "session",
    metadata,
    Column("token", LargeBinary, primary_key=True),
    Column("username", String, nullable=False),
    Column("csrf", String, nullable=False),
    Column("expires_ms", Integer, nullable=False),
    Column("begun_ms", Integer, nullable=False),
    Column("seen_ms", Integer, nullable=False),
    Column("address", String, nullable=False),
    Column("agent", String, nullable=False),
)

# Ditto.
api_token = Table(
    "api_token",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("prefix", String, nullable=False),
    Column("operator_id", ForeignKey("operator.id"), nullable=False, index=True),
    Column("name", String, nullable=False),
    Column("scopes", String, nullable=False),
    Column("unattended", Boolean, nullable=False),
    Column("added_ms", Integer, nullable=False),
    Column("expires_ms", Integer, nullable=False),
    Column("used_ms", Integer),
)
