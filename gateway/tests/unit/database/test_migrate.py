"""Migrations: from nothing to head, again without effect, and no further back than we know."""

import sys
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from doorward.database import open_database, upgrade
from doorward.errors import DatabaseTooNew

KEY = bytes(range(32))
SCRIPT = """
from alembic import op
import sqlalchemy as sa
revision, down_revision = {revision!r}, {down!r}
def upgrade() -> None:
    {body}
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "migrated_package"
    versions = root / "migrations" / "versions"
    versions.mkdir(parents=True)
    (root / "__init__.py").touch()
    create = 'op.create_table("thing", sa.Column("id", sa.Integer, primary_key=True))'
    (versions / "0001_first.py").write_text(SCRIPT.format(revision="0001", down=None, body=create))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, root.name, raising=False)
    return versions


def test_it_reaches_head_once(tmp_path: Path, package: Path) -> None:
    engine = open_database(tmp_path / "a.db", KEY)
    upgrade(engine, "migrated_package")
    upgrade(engine, "migrated_package")
    assert set(inspect(engine).get_table_names()) == {"alembic_version", "thing"}
    engine.dispose()


def test_a_failing_migration_leaves_nothing_behind(tmp_path: Path, package: Path) -> None:
    body = 'op.create_table("half", sa.Column("id", sa.Integer)); op.execute("no such statement")'
    (package / "0002_second.py").write_text(SCRIPT.format(revision="0002", down="0001", body=body))
    engine = open_database(tmp_path / "a.db", KEY)
    with pytest.raises(Exception, match="syntax error"):
        upgrade(engine, "migrated_package")
    assert inspect(engine).get_table_names() == []
    engine.dispose()


def test_a_database_from_the_future_is_refused(tmp_path: Path, package: Path) -> None:
    engine = open_database(tmp_path / "a.db", KEY)
    upgrade(engine, "migrated_package")
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '0099'"))
    with pytest.raises(DatabaseTooNew, match="0099"):
        upgrade(engine, "migrated_package")
    engine.dispose()
