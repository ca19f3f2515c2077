"""The tables of broker.db, as they are written and read: the migrations make them."""

from doorward.broker.ports import Entry, KeptMessage
from doorward.broker.store.rows import Rows

PRINCIPALS = Rows("principal", ("name",), ("role", "secret_sha256"))
USERS = Rows(
    "user", ("name",), ("roles", "password")
)  # names of roles, a space between them; argon2id
WELCOME = Rows("welcome", ("name", "place"))
RULES = Rows("rule", ("subject", "effect", "topic_filter"), ("publish", "subscribe"))
LOG = Rows("log", Entry._fields[:1], Entry._fields[1:])
# What belongs to a session goes with it.
SESSIONS = Rows("session", ("client",), ("owner",))
SUBSCRIPTIONS = Rows("subscription", ("client", "topic_filter"), ("qos",))
MESSAGES = Rows("message", KeptMessage._fields[:1], KeptMessage._fields[1:])
RECEIVED = Rows("received", ("client", "packet_id"))
RETAINED = Rows("retained", ("topic",), ("payload", "qos", "owner"))
