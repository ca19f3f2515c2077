"""Bring a database to the schema this version of doorward wants."""

from importlib.resources import as_file, files
from pathlib import Path

from sqlalchemy import Engine, inspect


def upgrade(engine: Engine, package: str) -> None:
    """Run the migrations in `<package>/migrations/versions` that the database has not seen.

    All in one transaction. A database that holds something is copied first, to NAME.before-REVISION beside it; the
    last three copies are kept. Raises DatabaseTooNew when the database knows a migration that this version does not,
    UpgradeFailed when a migration fails, DatabaseError when there is no room for the copy: the database is as it was.
    """
    with as_file(files(package) / "migrations") as folder:
        if _revision(engine) != _newest(folder):
            # Alembic takes 13 MB for as long as the process lives, and next to all starts find nothing to do.
            from doorward.database.migrating import run  # noqa: PLC0415

            run(engine, folder)


def _newest(folder: Path) -> str:
    """The revision of the last migration: their files are named after them."""
    names = (path.stem for path in (folder / "versions").glob("[0-9]*.py"))
    return max(names).partition("_")[0]


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").all()
    return str(found[0][0]) if len(found) == 1 else None
