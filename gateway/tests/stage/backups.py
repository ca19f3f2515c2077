"""Backups of an installation in a test, and what is in one that came back."""

from pathlib import Path

from sqlalchemy import text

from doorward.database import load_or_create, open_database
from doorward.runtime.backup import Manifest, create, restore

PASSPHRASE = "four plain words here"


def quiet(_what: str, _done: int, _total: int) -> None:
    pass


def made(site: Path, name: str = "a.backup", *, with_keys: bool = True) -> Path:
    file = site.parent / name
    create(site, file, PASSPHRASE, with_keys=with_keys, progress=quiet)
    return file


def brought_back(
    file: Path, directory: Path, *, passphrase: str = PASSPHRASE, replace: bool = False
) -> tuple[Manifest, Path | None]:
    return restore(file, passphrase, directory, replace=replace, progress=quiet)


def everything(directory: Path) -> dict[str, bytes]:
    """Every file but the lock, which is there for who asks for it."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and path.parent.name != "run"
    }


def people(directory: Path) -> list[str]:
    key = load_or_create(directory / "keys" / "database.key", directory / "gateway.db")
    engine = open_database(directory / "gateway.db", key)
    with engine.connect() as connection:
        names = list(connection.scalars(text("select name from person")))
    engine.dispose()
    return names
