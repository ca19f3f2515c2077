"""One thread that writes what SQLAlchemy says."""

from sqlalchemy import Connection, Engine

from doorward.database.transaction import EngineTransaction
from doorward.sqlite import GroupWriter
from doorward.sqlite import Watch as DriverWatch

Watch = DriverWatch[Connection]


class Writer(GroupWriter[Connection]):
    """The `GroupWriter` of an engine: units of work are functions of a Connection."""

    def __init__(self, engine: Engine, *, name: str = "writer", watch: Watch | None = None) -> None:
        """Name the thread; nothing runs before `start`."""
        super().__init__(EngineTransaction(engine), name=name, watch=watch)
