"""Run migrations with Alembic. Loaded only where there is something to run."""

from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine

from doorward.database.copying import copy_beside
from doorward.database.engine import for_writing
from doorward.errors import DatabaseTooNew, UpgradeFailed

_COPIES_KEPT = 3


def run(engine: Engine, folder: Path) -> None:
    """Bring the database to the last revision in `folder`, as `migrate.upgrade` promises."""
    config = Config()
    config.set_main_option("script_location", str(folder))
    scripts = ScriptDirectory.from_config(config)
    copy = _copy_first(engine, scripts)

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
        except Exception as error:
            raise UpgradeFailed(
                f"the database could not be upgraded ({_first_line(error)}); it is as it was",
                f"install the version from before, and report this; a copy is {copy}",
            ) from error
        connection.commit()


def _copy_first(engine: Engine, scripts: ScriptDirectory) -> Path | None:
    """Copy the database if a migration is going to be run on what it holds; None if not."""
    with engine.connect() as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
        _number, _name, path = connection.exec_driver_sql("PRAGMA database_list").all()[0]
    path = Path(path)
    head = scripts.get_current_head()
    if revision == head or revision not in {step.revision for step in scripts.walk_revisions()}:
        return None
    copy = path.with_name(f"{path.name}.before-{head}")
    copy_beside(engine, copy)
    older = sorted(
        path.parent.glob(f"{path.name}.before-*"), key=lambda old: old.stat().st_mtime_ns
    )
    for old in older[:-_COPIES_KEPT]:
        old.unlink()
    return copy


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
