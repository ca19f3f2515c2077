"""Encrypted files: nothing readable, wrong keys and damage refused quietly and clearly."""

import os
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from doorward.database import open_database
from doorward.errors import DatabaseDamaged, DatabaseError, WrongKey

KEY = bytes(range(32))
SECRET = "04A1B2C3D4E5F6 Maya Okafor"


def filled(path: Path, rows: int = 1) -> None:
    engine = open_database(path, KEY)
    with engine.begin() as connection:
        connection.execute(text("create table card (uid text)"))
        connection.execute(text("insert into card values (:uid)"), [{"uid": SECRET}] * rows)
    engine.dispose()


def test_it_reads_back_what_was_written_and_nothing_is_readable_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    engine = open_database(path, KEY)
    with engine.begin() as connection:
        connection.execute(text("create table card (uid text)"))
        connection.execute(text("insert into card values (:uid)"), {"uid": SECRET})
    written = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert len(written["gateway.db-wal"]) > 0
    assert all(
        SECRET.encode() not in content and b"SQLite format" not in content
        for content in written.values()
    )
    with engine.connect() as connection:
        assert connection.scalar(text("select uid from card")) == SECRET
    engine.dispose()


def test_a_commit_is_on_the_disk_and_foreign_keys_hold(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "gateway.db", KEY)
    with engine.connect() as connection:
        wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "trusted_schema": 0}
        assert {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in wanted
        } == wanted
    engine.dispose()


def test_the_log_soon_stops_to_grow(tmp_path: Path) -> None:
    """To make it longer costs more than to write over it."""
    engine = open_database(tmp_path / "gateway.db", KEY)
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.execute("create table card (uid text)")
        sizes = []
        for _ in range(1000):
            driver.execute("insert into card values (?)", (SECRET,))
            sizes.append((tmp_path / "gateway.db-wal").stat().st_size)
    assert max(sizes[:260]) == max(sizes) > 0
    engine.dispose()


def test_files_are_private(tmp_path: Path) -> None:
    filled(tmp_path / "gateway.db")
    assert all(file.stat().st_mode & 0o077 == 0 for file in tmp_path.iterdir())


def test_a_wrong_key_is_one_clear_error_and_no_noise(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "gateway.db"
    filled(path)
    with pytest.raises(WrongKey, match=r"gateway\.db.*; restore"):
        open_database(path, os.urandom(32))
    assert capfd.readouterr() == ("", "")


def test_a_damaged_page_is_found_before_anything_is_served(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "gateway.db"
    filled(path, rows=1000)
    content = bytearray(path.read_bytes())
    content[3 * 4096 + 100] ^= 1
    path.write_bytes(content)
    with pytest.raises(DatabaseDamaged, match="restore it from your backup"):
        open_database(path, KEY)
    assert capfd.readouterr() == ("", "")


def test_a_folder_in_its_place_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "gateway.db").mkdir()
    with pytest.raises(DatabaseError, match=r"gateway\.db"):
        open_database(tmp_path / "gateway.db", KEY)
