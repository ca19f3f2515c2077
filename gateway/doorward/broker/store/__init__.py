"""Where the broker keeps what it has acknowledged; the only part of it that knows of SQL."""

from doorward.broker.store.repository import BrokerStore, prepare

__all__ = ["BrokerStore", "prepare"]
