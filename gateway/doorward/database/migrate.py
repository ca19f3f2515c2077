"""Bring a database to the schema this version of doorward wants."""

from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine

from doorward.database.engine import for_writing
from doorward.errors import DatabaseTooNew


def upgrade(engine: Engine, package: str) -> None:
    """Run the migrations in `<package>/migrations/versions` that the database has not seen.

    All in one transaction. Raises DatabaseTooNew when the database knows a migration that this version does not.
    """
    with as_file(files(package) / "migrations") as folder:
        _upgrade(engine, folder)


def _upgrade(engine: Engine, folder: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(folder))
    scripts = ScriptDirectory.from_config(config)

    def steps(revision: Any, _context: Any) -> Any:
        return scripts._upgrade_revs("head", revision)  # noqa: SLF001 - what `alembic upgrade` itself calls

    # An EnvironmentContext of our own, so that no package needs an env.py.
    with (
        EnvironmentContext(config, scripts, fn=steps) as environment,
        for_writing(engine).connect() as connection,
    ):
        environment.configure(connection=connection, render_as_batch=True, transactional_ddl=True)
        try:
            with environment.begin_transaction():
                environment.run_migrations()
        except CommandError as error:
            raise DatabaseTooNew(
                f"the database is newer than this doorward ({error})",
                "install the newer version again",
            ) from error
        connection.commit()
