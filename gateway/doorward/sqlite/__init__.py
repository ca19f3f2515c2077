"""Encrypted SQLite files at their driver: opened so that a commit that returned is never lost, and written in groups.

A leaf package that loads no more than the driver: `database` puts SQLAlchemy and migrations on top of it, and the
broker's store does without both once its file is up to date.
"""

from doorward.sqlite.driver import check, connect
from doorward.sqlite.transaction import DriverTransaction, Transaction
from doorward.sqlite.writer import GroupWriter, Watch

__all__ = ["DriverTransaction", "GroupWriter", "Transaction", "Watch", "check", "connect"]
