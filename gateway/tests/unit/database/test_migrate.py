"""Migrations: from nothing to head, again without effect, and no further back than we know."""

import os
import signal
import subprocess
import sys
from importlib.resources import as_file, files
from pathlib import Path

import pytest
import sqlcipher3.dbapi2 as sqlcipher
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from doorward.database import copying, open_database, upgrade
from doorward.errors import DatabaseError, DatabaseTooNew, UpgradeFailed
from doorward.sqlite import revision

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


@pytest.mark.parametrize("package", ["doorward.broker.store", "doorward.adapters.store"])
def test_migrations_are_named_after_their_revisions(package: str) -> None:
    """An up-to-date database is told by that name, without Alembic."""
    with as_file(files(package) / "migrations") as folder:
        assert revision._newest(package) == ScriptDirectory(str(folder)).get_current_head()


def test_a_database_that_is_up_to_date_does_without_alembic(tmp_path: Path) -> None:
    script = f"""
import sys
from pathlib import Path
from doorward.database import open_database, upgrade
upgrade(open_database(Path({str(tmp_path / "a.db")!r}), bytes(32)), "doorward.broker.store")
print("alembic" in sys.modules)
"""
    told = [
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    assert [one.stdout for one in told] == ["True\n", "False\n"]


def test_a_failing_migration_leaves_nothing_behind(tmp_path: Path, package: Path) -> None:
    body = 'op.create_table("half", sa.Column("id", sa.Integer)); op.execute("no such statement")'
    (package / "0002_second.py").write_text(SCRIPT.format(revision="0002", down="0001", body=body))
    engine = open_database(tmp_path / "a.db", KEY)
    with pytest.raises(UpgradeFailed, match="syntax error"):
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
    assert copies(tmp_path) == set()


ADD = 'op.execute("insert into thing (id) values ({})")'


def add_step(package: Path, number: int, body: str | None = None) -> None:
    step = SCRIPT.format(
        revision=f"{number:04}", down=f"{number - 1:04}", body=body or ADD.format(number)
    )
    (package / f"{number:04}_step.py").write_text(step)


def things(path: Path) -> list[int]:
    engine = open_database(path, KEY)
    with engine.connect() as connection:
        found = list(connection.scalars(text("select id from thing order by id")))
    engine.dispose()
    return found


def bring_up(path: Path) -> None:
    engine = open_database(path, KEY)
    try:
        upgrade(engine, "migrated_package")
    finally:
        engine.dispose()


def copies(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if ".before-" in path.name}


def test_a_copy_is_kept_before_a_migration(tmp_path: Path, package: Path) -> None:
    path = tmp_path / "db" / "a.db"
    bring_up(path)
    assert copies(path.parent) == set(), "there was nothing to keep"
    for number in (2, 3, 4, 5):
        add_step(package, number)
        bring_up(path)
        bring_up(path)
    assert things(path) == [2, 3, 4, 5]
    assert copies(path.parent) == {f"a.db.before-{n:04}" for n in (3, 4, 5)}, "the last three"
    copy = path.with_name("a.db.before-0005")
    assert copy.stat().st_mode & 0o777 == 0o600
    assert b"thing" not in copy.read_bytes()
    assert things(copy) == [2, 3, 4]


def test_a_failing_migration_leaves_the_old_database_and_its_copy(
    tmp_path: Path, package: Path
) -> None:
    path = tmp_path / "a.db"
    bring_up(path)
    add_step(package, 2)
    bring_up(path)
    add_step(package, 3, f"{ADD.format(3)}; raise ValueError('this one cannot')")
    with pytest.raises(
        UpgradeFailed, match=r"this one cannot\); it is as it was.*a.db.before-0003"
    ):
        bring_up(path)
    assert things(path) == [2]
    assert things(tmp_path / "a.db.before-0003") == [2]
    (package / "0003_step.py").unlink()
    bring_up(path)


def test_a_migration_that_is_killed_leaves_the_old_database(tmp_path: Path, package: Path) -> None:
    path = tmp_path / "a.db"
    bring_up(path)
    # The connection's own cache is too small to hide that a half was written to the disk.
    numbers = "with recursive n(i) as (select 10 union all select i + 1 from n where i < 1000000)"
    fill = f'op.execute("insert into thing (id) {numbers} select i from n")'
    add_step(package, 2, f"{fill}; import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    program = (
        "import sys; from pathlib import Path; from doorward.database import open_database, upgrade; "
        "upgrade(open_database(Path(sys.argv[1]), bytes(range(32))), 'migrated_package')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert path.with_name("a.db-wal").stat().st_size > 100_000, "it was half done"
    assert things(path) == []
    add_step(package, 2)
    bring_up(path)
    assert things(path) == [2]


def test_without_room_for_the_copy_nothing_is_changed(
    tmp_path: Path, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.db"
    bring_up(path)
    add_step(package, 2)
    full = sqlcipher.OperationalError("database or disk is full")

    class Full:
        def execute(self, *_: object) -> None:
            raise full

    whole = copying._vacuum_into
    monkeypatch.setattr(copying, "_vacuum_into", lambda _connection, into: whole(Full(), into))
    with pytest.raises(DatabaseError, match=r"disk is full.*make room"):
        bring_up(path)
    assert things(path) == []
    assert [p.name for p in tmp_path.iterdir() if "before" in p.name or "part" in p.name] == []
