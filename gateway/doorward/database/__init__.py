"""Encrypted SQLite files: how both stores open them, write to them and bring them up to date.

A leaf package: `adapters.store` and `broker.store` stand on it; of ours it needs only `errors`.
"""

from doorward.database.copying import copy_database
from doorward.database.engine import for_writing, open_database
from doorward.database.keyfile import load_or_create
from doorward.database.migrate import upgrade
from doorward.database.writer import Watch, Writer, is_trouble_with_the_file

__all__ = [
    "Watch",
    "Writer",
    "copy_database",
    "for_writing",
    "is_trouble_with_the_file",
    "load_or_create",
    "open_database",
    "upgrade",
]
