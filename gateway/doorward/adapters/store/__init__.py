"""gateway.db: an encrypted file behind the application's store ports."""

from doorward.adapters.store.store import SqlStore

__all__ = ["SqlStore"]
