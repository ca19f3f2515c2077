"""The writer's transactions, one after the other on a connection of its own."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import sqlcipher3.dbapi2 as sqlcipher

C_co = TypeVar("C_co", covariant=True)

_OF_THE_UNIT = (sqlcipher.DataError, sqlcipher.IntegrityError, sqlcipher.ProgrammingError)


class Transaction(Protocol[C_co]):
    """Begun with the write lock; used by one thread. Raises what the driver raises, or who stands in between."""

    def begin(self) -> C_co:
        """Begin one. Statements go to this connection."""

    def run(self, statement: str) -> None:
        """Have the driver run a statement without parameters."""

    def commit(self) -> None:
        """Put it on the disk."""

    def roll_back(self) -> None:
        """Undo it; nothing happens when SQLite has done so already, as with a full disk."""

    def let_go(self) -> None:
        """Give the connection up, and with it what is still open. The next transaction takes another."""

    def blames_file(self, error: Exception) -> bool:
        """False for what is wrong with the unit of work itself, which would fail again."""


class DriverTransaction:
    """A `Transaction` at the driver, without anything in between."""

    def __init__(self, connect: Callable[[], Any]) -> None:
        """Connect when the first transaction begins."""
        self._connect = connect
        self._driver: Any = None

    def begin(self) -> Any:
        if self._driver is None:
            self._driver = self._connect()
        self._driver.execute("BEGIN IMMEDIATE")
        return self._driver

    def run(self, statement: str) -> None:
        self._driver.execute(statement)

    def commit(self) -> None:
        self._driver.execute("COMMIT")

    def roll_back(self) -> None:
        if self._driver.in_transaction:
            self._driver.execute("ROLLBACK")

    def let_go(self) -> None:
        driver, self._driver = self._driver, None
        if driver is not None:
            driver.close()

    def blames_file(self, error: Exception) -> bool:
        return is_trouble_with_the_file(error)


def is_trouble_with_the_file(error: Exception) -> bool:
    """Of what the driver raises: False for what is wrong with a statement and its values."""
    return isinstance(error, sqlcipher.DatabaseError) and not isinstance(error, _OF_THE_UNIT)
