"""The audit as it is stored, for those who check it or take it along. It reads, and changes nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Self, TypeVar

from sqlalchemy import Connection, Engine, inspect

from doorward.adapters.store import chain, log_check
from doorward.database import open_database
from doorward.domain.audit_chain import Head, Link
from doorward.domain.audit_walk import Finding
from doorward.errors import DatabaseError

T = TypeVar("T")


class SqlTrail:
    """The port `app.ports.TrailStore`. Every call reads on a connection of its own, on whatever thread it comes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, path: Path, key: bytes) -> Self:
        """For a gateway that stands still. Raises the errors of `database`."""
        if not path.exists():
            raise DatabaseError(f"there is no {path}", "name the installation with --data")
        engine = open_database(path, key)
        columns = {column["name"] for column in inspect(engine).get_columns("audit")}
        if "digest" not in columns:
            engine.dispose()
            raise DatabaseError(
                f"{path} was written by a version without a chain", "start the gateway once"
            )
        return cls(engine)

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def _look(self, read: Callable[[Connection], T]) -> T:
        with self._engine.begin() as connection:
            return read(connection)

    def end(self) -> Head:
        return self._look(chain.last)

    def page(self, first: int, until: int) -> list[Link]:
        return self._look(lambda connection: chain.page(connection, first, until))

    def stretch(self, since_ms: int | None, until_ms: int | None) -> tuple[Head, Head]:
        return self._look(lambda connection: chain.stretch(connection, since_ms, until_ms))

    def log_entries(self) -> int:
        return self._look(log_check.count)

    def log_findings(self) -> list[Finding]:
        return self._look(lambda connection: list(log_check.findings(connection)))
