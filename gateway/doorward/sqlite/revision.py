"""How far the schema of a file has come, as Alembic notes it in the file."""

from importlib.resources import files
from typing import Any

_NOTED = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'alembic_version'"


def is_current(driver: Any, package: str) -> bool:
    """Whether the file behind a connection has seen the last of the migrations in `<package>/migrations/versions`."""
    return _revision(driver) == _newest(package)


def _revision(driver: Any) -> str | None:
    if driver.execute(_NOTED).fetchone() is None:
        return None
    found = driver.execute("SELECT version_num FROM alembic_version").fetchall()
    return str(found[0][0]) if len(found) == 1 else None


def _newest(package: str) -> str:
    """The revision of the last migration: their files are named after them."""
    names = (entry.name for entry in (files(package) / "migrations" / "versions").iterdir())
    return max(name for name in names if name[0].isdigit()).partition("_")[0]
