"""Groups of units that speak SQLAlchemy, in transactions that are begun and ended at the driver.

Through SQLAlchemy each would cost a third of what SQLite takes to write a row.
"""

from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, ProgrammingError

from doorward.database.engine import by_hand
from doorward.sqlite.transaction import is_trouble_with_the_file

_OF_THE_UNIT = (DataError, IntegrityError, ProgrammingError)


class EngineTransaction:
    """A `Transaction` on a connection of SQLAlchemy's. Raises what the driver raises, or SQLAlchemy."""

    def __init__(self, engine: Engine) -> None:
        """Take a connection when the first transaction begins."""
        self._engine = by_hand(engine)
        self._connection: Connection | None = None
        self._driver: Any = None

    def begin(self) -> Connection:
        """Begin one. Statements go to this connection, by SQLAlchemy's ways or by its driver's."""
        connection = self._connection
        if connection is None:
            connection = self._connection = self._engine.connect()
            self._driver = connection.connection.driver_connection
        self._driver.execute("BEGIN IMMEDIATE")
        return connection

    def run(self, statement: str) -> None:
        """Have the driver run a statement without parameters."""
        self._driver.execute(statement)

    def commit(self) -> None:
        """Put it on the disk."""
        if (known := self._known()) is not None:
            known.commit()
        else:
            self._driver.execute("COMMIT")

    def roll_back(self) -> None:
        """Undo it; nothing happens when SQLite has done so already, as with a full disk."""
        if (known := self._known()) is not None:
            known.rollback()
        elif self._driver.in_transaction:
            self._driver.execute("ROLLBACK")

    def let_go(self) -> None:
        """Give the connection up, and with it what is still open. The next transaction takes another."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._driver.in_transaction:
            # SQLAlchemy may take a transaction for ended that failed while it was being committed.
            connection.invalidate()
        connection.close()

    def blames_file(self, error: Exception) -> bool:
        """False for what is wrong with the unit of work itself, which would fail again."""
        if isinstance(error, DatabaseError):
            return not isinstance(error, _OF_THE_UNIT)
        return is_trouble_with_the_file(error)

    def _known(self) -> Connection | None:
        """The connection if SQLAlchemy ran something in this transaction: it has to end it, or believes it goes on."""
        connection = self._connection
        return connection if connection is not None and connection.in_transaction() else None
