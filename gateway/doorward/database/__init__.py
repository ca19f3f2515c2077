"""Encrypted SQLite files with SQLAlchemy: opened, written to, copied and brought up to date.

`adapters.store` stands on it, and `broker.store` where its file is not up to date. Of ours it needs `sqlite` and what
that needs.
"""

from doorward.database.copying import copy_database
from doorward.database.engine import for_writing, open_database
from doorward.database.keyfile import load_or_create
from doorward.database.migrate import upgrade
from doorward.database.writer import Watch, Writer

__all__ = [
    "Watch",
    "Writer",
    "copy_database",
    "for_writing",
    "load_or_create",
    "open_database",
    "upgrade",
]
