"""gateway.db: an encrypted file behind the application's store ports."""

from doorward.adapters.store.store import SqlStore
from doorward.adapters.store.trail import SqlTrail
from doorward.adapters.store.vault import reseal

__all__ = ["SqlStore", "SqlTrail", "reseal"]
