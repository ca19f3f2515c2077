"""Every migration of both databases, on a database of the version before it with rows in every table."""

import shutil
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Integer, LargeBinary, MetaData, Row, Table, select

from doorward.database import for_writing, migrating, open_database, upgrade

KEY = bytes(range(32))
GATEWAY, BROKER = "doorward.adapters.store", "doorward.broker.store"

Rows = list[tuple[object, ...]]


@dataclass(frozen=True)
class Step:
    """What one migration is for: rows of before, and what has become of them."""

    package: str
    revision: str
    before: tuple[str, ...] = ()
    after: dict[str, Rows] = field(default_factory=dict)
    # Tables that begin anew. Every other row is as it was, but for what `after` tells of those in `before`.
    emptied: frozenset[str] = frozenset()


DEVICE = "INSERT INTO device (id, board, state, adopted_ms) VALUES ('{}', '{}', 'approved', 7)"
ADMIN = "SELECT permission FROM role_permission WHERE role = 'Admin' AND permission {} ORDER BY 1"

STEPS = (
    Step(
        GATEWAY,
        "0002",
        ("INSERT INTO operator VALUES (5, 'ada', '$argon2id$', 9)",),
        {
            "SELECT id, username, password, role, added_ms FROM operator WHERE id = 5": [
                (5, "ada", "$argon2id$", "Admin", 9)
            ],
            "SELECT name FROM role ORDER BY name": [
                (name,) for name in ("Admin", "Guest", "Student", "Teacher", "User")
            ],
            ADMIN.format("= 'people.edit'"): [("people.edit",)],
        },
    ),
    Step(
        GATEWAY,
        "0003",
        ("INSERT INTO door VALUES ('back', 'Back door', 'rear', 1, 1, 1, 0, 0)",),
        {
            "SELECT id, board, state FROM device ORDER BY id": [
                ("a", "esp32-devkit-door", "approved"),
                ("rear", "esp32-devkit-door", "approved"),
            ]
        },
    ),
    Step(
        GATEWAY,
        "0004",
        after={
            "SELECT username, locked, seed, step, recovery FROM operator": [("a", 0, None, 0, b"")],
            "SELECT count(*) FROM session": [(0,)],
        },
        emptied=frozenset({"session"}),
    ),
    Step(
        GATEWAY,
        "0005",
        ("INSERT INTO audit (id, at_ms, kind, source, reporter) VALUES (4, 3, 'k', 's', 'r')",),
        {
            "SELECT id, kind, length(digest), length(salt) FROM audit ORDER BY id": [
                (1, "a", 32, 16),
                (2, "k", 32, 16),
                (3, "audit.chained", 32, 16),
            ]
        },
    ),
    Step(
        GATEWAY,
        "0006",
        after={
            ADMIN.format("LIKE 'mqtt.%'"): [("mqtt.edit",), ("mqtt.publish",), ("mqtt.see",)],
            "SELECT role FROM role_permission WHERE permission = 'mqtt.see'": [("Admin",)],
        },
    ),
    Step(
        GATEWAY,
        "0007",
        (DEVICE.format("old", "esp32-devkit-door"), DEVICE.format("other", "door-esp32-c3")),
        {
            "SELECT id, board FROM device ORDER BY id": [
                ("a", "a"),
                ("old", "door-esp32"),
                ("other", "door-esp32-c3"),
            ]
        },
    ),
    Step(
        GATEWAY,
        "0008",
        after={
            "SELECT id, trusts FROM device": [("a", None)],
            "SELECT count(*) FROM firmware": [(0,)],
            "SELECT count(*) FROM update_order": [(0,)],
        },
    ),
    Step(
        GATEWAY,
        "0009",
        (DEVICE.format("safe", "vault-esp32"), DEVICE.format("side", "door-vault-esp32")),
        {
            "SELECT id, role, name FROM device ORDER BY id": [
                ("a", "door", None),
                ("safe", "vault", None),
                ("side", "door", None),
            ],
            ADMIN.format("= 'lights.set'"): [("lights.set",)],
            "SELECT role FROM role_permission WHERE permission = 'lights.set'": [("Admin",)],
        },
    ),
    Step(
        GATEWAY,
        "0010",
        after={
            "SELECT count(*) FROM holiday": [(0,)],
            "SELECT start_minute FROM schedule_window": [(1,)],
        },
    ),
    Step(
        BROKER,
        "0002",
        ("INSERT INTO session VALUES ('desk')",),
        {
            "SELECT client, owner FROM session ORDER BY client": [("a", "a"), ("desk", "desk")],
            "SELECT qos, released FROM message": [(1, 0)],
        },
    ),
    Step(
        BROKER,
        "0003",
        after={
            'SELECT count(*) FROM "user"': [(0,)],
            "SELECT publish, subscribe FROM rule WHERE subject = 'role:Guest'": [(0, 1)],
            "SELECT count(*) FROM log": [(0,)],
        },
    ),
    Step(
        BROKER,
        "0004",
        ("INSERT INTO retained VALUES ('school/bell', x'31', 1)",),
        {
            "SELECT topic, qos, owner FROM retained ORDER BY topic": [
                ("a", 1, ""),
                ("school/bell", 1, ""),
            ],
            "SELECT name FROM pragma_index_info('ix_log_action')": [("action",), ("number",)],
        },
    ),
    Step(
        BROKER,
        "0005",
        after={"SELECT count(*) FROM welcome": [(0,)], "SELECT owner FROM retained": [("a",)]},
    ),
)


def scripts(package: str) -> list[Path]:
    with as_file(files(package) / "migrations" / "versions") as folder:
        return sorted(folder.glob("0*.py"))


def bring_to(engine: Engine, step: Step, newest: str, scratch: Path) -> None:
    """Run the migrations up to this one."""
    versions = scratch / newest / "versions"
    versions.mkdir(parents=True)
    for script in scripts(step.package):
        if script.name[:4] <= newest:
            shutil.copy(script, versions)
    migrating.run(engine, scratch / newest)


def fill(engine: Engine) -> None:
    with for_writing(engine).begin() as connection:
        for table in tables(engine).values():
            connection.execute(table.insert().values({c.name: some(c.type) for c in table.columns}))


def some(kind: object) -> object:
    """The same wherever it stands, so that it is what it refers to."""
    if isinstance(kind, LargeBinary):
        return bytes(32)
    return 1 if isinstance(kind, Integer) or str(kind) == "BOOLEAN" else "a"


def tables(engine: Engine) -> dict[str, Table]:
    """Those that refer to others last."""
    found = MetaData()
    found.reflect(engine)
    return {table.name: table for table in found.sorted_tables if table.name != "alembic_version"}


def content(engine: Engine, columns: dict[str, list[str]]) -> dict[str, list[Row[Any]]]:
    now = tables(engine)
    with engine.connect() as connection:
        return {
            name: list(connection.execute(select(*(now[name].c[one] for one in kept))))
            for name, kept in columns.items()
        }


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step.package[9:]}-{step.revision}")
def test_what_was_there_is_there_and_what_is_new_fits_it(step: Step, tmp_path: Path) -> None:
    engine = open_database(tmp_path / "a.db", KEY)
    bring_to(engine, step, f"{int(step.revision) - 1:04}", tmp_path)
    fill(engine)
    columns = {name: [c.name for c in table.columns] for name, table in tables(engine).items()}
    before = content(engine, columns)
    assert all(before.values()), "a table has no row"
    with for_writing(engine).begin() as connection:
        for statement in step.before:
            connection.exec_driver_sql(statement)
    bring_to(engine, step, step.revision, tmp_path)
    for name, rows in content(engine, columns).items():
        assert (set(before[name]) <= set(rows)) == (name not in step.emptied), name
    with engine.connect() as connection:
        for query, told in step.after.items():
            assert [tuple(row) for row in connection.exec_driver_sql(query)] == told, query
    upgrade(engine, step.package)
    engine.dispose()


def test_the_oldest_database_comes_all_the_way(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "a.db", KEY)
    bring_to(engine, STEPS[0], "0001", tmp_path)
    fill(engine)
    upgrade(engine, GATEWAY)
    with engine.connect() as connection:
        told = connection.exec_driver_sql("SELECT board, role, name, trusts FROM device").all()
        assert [tuple(row) for row in told] == [("door-esp32", "door", None, None)]
        told = connection.exec_driver_sql("SELECT username, role, locked FROM operator").all()
        assert [tuple(row) for row in told] == [("a", "Admin", 0)]
    engine.dispose()


def test_every_migration_is_tried() -> None:
    for package in (GATEWAY, BROKER):
        first, *later = (script.name[:4] for script in scripts(package))
        assert first == "0001"
        assert [step.revision for step in STEPS if step.package == package] == later
