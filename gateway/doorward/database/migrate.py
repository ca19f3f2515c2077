"""Bring a database to the schema this version of doorward wants."""

from importlib.resources import as_file, files

from sqlalchemy import Engine

from doorward.sqlite.revision import is_current


def upgrade(engine: Engine, package: str) -> None:
    """Run the migrations in `<package>/migrations/versions` that the database has not seen.

    All in one transaction. A database that holds something is copied first, to NAME.before-REVISION beside it; the
    last three copies are kept. Raises DatabaseTooNew when the database knows a migration that this version does not,
    UpgradeFailed when a migration fails, DatabaseError when there is no room for the copy: the database is as it was.
    """
    with engine.connect() as connection:
        current = is_current(connection.connection.driver_connection, package)
    if not current:
        # Alembic takes 13 MB for as long as the process lives, and next to all starts find nothing to do.
        from doorward.database.migrating import run  # noqa: PLC0415

        with as_file(files(package) / "migrations") as folder:
            run(engine, folder)
