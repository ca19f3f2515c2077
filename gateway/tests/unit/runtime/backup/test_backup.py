"""Backup and restore of an installation on disk: whole or not at all, and nobody else reads it."""

import io
import json
import os
import resource
import shutil
import tarfile
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import text
from stage.backups import PASSPHRASE, brought_back, everything, made, people, quiet
from stage.house import MEMBER, furnish

from doorward.adapters.store import SqlStore
from doorward.app.records import Account
from doorward.broker.store import BrokerStore
from doorward.database import load_or_create, open_database
from doorward.domain.audit import AuditRow
from doorward.errors import (
    AlreadyRunning,
    BackupError,
    Conflict,
    DoorwardError,
    NotFound,
    WrongPassphrase,
)
from doorward.runtime import backup
from doorward.runtime.backup import Manifest, create, stream, verify
from doorward.runtime.process import lock


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a guess costs is not the point here."""
    monkeypatch.setattr(stream.Writer.__init__, "__defaults__", (stream.Cost(64, 1, 1),))


@pytest.fixture
async def site(tmp_path: Path) -> Path:
    directory = tmp_path / "site"
    await furnish(directory)
    key = load_or_create(directory / "keys" / "database.key")
    broker = BrokerStore.open(directory / "broker.db", key)
    broker.start()
    await broker.close()
    (directory / "doorward.toml").write_text('timezone = "Europe/Berlin"\n')
    (directory / "signer" / "ca.pem").write_bytes(b"-----the key of our own CA-----")
    return directory


def test_with_keys_all_comes_back(site: Path, tmp_path: Path) -> None:
    file = made(site)
    assert file.stat().st_mode & 0o777 == 0o600
    manifest, aside = brought_back(file, tmp_path / "new")
    assert manifest.with_keys
    assert aside is None
    assert people(tmp_path / "new") == ["Maya Okafor"]
    for name in ("doorward.toml", "signer/front.key", "signer/ca.pem"):
        assert (tmp_path / "new" / name).read_bytes() == (site / name).read_bytes()
    files = [path for path in (tmp_path / "new").rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_without_keys_no_key_of_a_board_is_in_it(site: Path, tmp_path: Path) -> None:
    manifest, _ = brought_back(made(site, with_keys=False), tmp_path / "new")
    assert not manifest.with_keys
    assert people(tmp_path / "new") == ["Maya Okafor"]
    assert not (tmp_path / "new" / "signer").exists()


def test_the_live_databases_key_is_in_no_backup(site: Path, tmp_path: Path) -> None:
    live = (site / "keys" / "database.key").read_bytes()
    brought_back(made(site), tmp_path / "new")
    assert (tmp_path / "new" / "keys" / "database.key").read_bytes() != live
    assert live not in b"".join(everything(tmp_path / "new").values())


def test_keys_that_are_elsewhere_are_asked_for(site: Path, tmp_path: Path) -> None:
    elsewhere = (site / "signer").rename(tmp_path / "keys")
    with pytest.raises(NotFound, match=r"no backup was made: there are no keys in .*; .* --keys"):
        made(site)
    file = tmp_path / "b.backup"
    create(site, file, PASSPHRASE, with_keys=True, progress=quiet, keys=elsewhere)
    brought_back(file, tmp_path / "new")
    assert everything(tmp_path / "new" / "signer") == everything(elsewhere)


async def test_what_is_sealed_once_more_opens_afterwards(site: Path, tmp_path: Path) -> None:
    """Second factors are sealed under the database's key, which is another one after a restore."""
    live = load_or_create(site / "keys" / "database.key")
    account = Account("maya", "hash", "Admin", seed=b"a seed of twenty byte")
    store = SqlStore(site / "gateway.db", live)
    store.start()
    await store.accounts.add_operator(account, 0, AuditRow(0, "operator.added", "operator"))
    await store.close()
    for with_keys in (True, False):
        directory = tmp_path / f"new-{with_keys}"
        brought_back(made(site, f"{with_keys}.backup", with_keys=with_keys), directory)
        again = SqlStore(
            directory / "gateway.db", load_or_create(directory / "keys" / "database.key")
        )
        again.start()
        assert [one.seed for one in again.accounts.operators()] == [account.seed]
        await again.close()


def test_who_has_the_file_alone_reads_nothing(site: Path) -> None:
    file = made(site)
    plain = stream.Reader(io.BytesIO(file.read_bytes()), PASSPHRASE).read()
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        held = {m.name: tar.extractfile(m).read() for m in tar}  # type: ignore[union-attr]
    place = site.parent / "opened"
    place.mkdir()
    (place / "gateway.db").write_bytes(held["gateway.db"])
    engine = open_database(place / "gateway.db", held["keys/database.key"])
    with engine.connect() as connection:
        rows = [
            str(list(c))
            for t in ("person", "credential")
            for c in connection.execute(text(f"select * from {t}"))
        ]
    engine.dispose()
    enrolment = json.loads(held["signer/front.key"])
    content = plain + "".join(rows).encode()
    for secret in (
        b"Maya",
        str(MEMBER).encode(),
        enrolment["password"].encode(),
        enrolment["key"].encode(),
        held["keys/database.key"],
        b"the key of our own CA",
        b"doorward.toml",
        b"front",
        b"Europe",
        b"manifest",
        b"ustar",
    ):
        assert secret in content, f"the positive control: {secret!r} is what is hidden"
        assert secret not in file.read_bytes()
    for secret in (b"Maya", MEMBER, b"SQLite"):
        assert secret not in plain, "within the archive the databases are still encrypted"


async def test_it_is_consistent_while_others_write(site: Path, tmp_path: Path) -> None:
    key = load_or_create(site / "keys" / "database.key")
    engine = open_database(site / "gateway.db", key)
    with engine.begin() as connection:
        connection.execute(text("create table one (n integer, filler blob)"))
        connection.execute(text("create table two (n integer)"))
        connection.execute(
            text(
                "with recursive n(i) as (select 1 union all select i+1 from n where i < 20000) "
                "insert into one select -1, randomblob(800) from n"
            )
        )
    written = 0
    stop = threading.Event()
    slowest = 0.0

    def write() -> None:
        nonlocal written, slowest
        while not stop.is_set():
            began = time.monotonic()
            with engine.begin() as connection:
                for table in ("one", "two"):
                    connection.exec_driver_sql(f"insert into {table} (n) values ({written})")
            written += 1
            slowest = max(slowest, time.monotonic() - began)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        before = written
        file = made(site)
        during = written - before
    finally:
        stop.set()
        writer.join()
        engine.dispose()
    assert during > 10, "the writer went on"
    assert slowest < 2.0, "nobody held the database for long"
    brought_back(file, tmp_path / "new")
    copy = open_database(
        tmp_path / "new" / "gateway.db", load_or_create(tmp_path / "new" / "keys" / "database.key")
    )
    with copy.connect() as connection:
        one, two = (
            list(connection.scalars(text(f"select n from {table} where n >= 0 order by n")))
            for table in ("one", "two")
        )
    copy.dispose()
    assert one == two == list(range(len(one))), "one instant, and nothing missing before it"
    assert before <= len(one) <= written


@pytest.mark.parametrize("harm", ["passphrase", "cut", "bit", "beyond", "other"])
@pytest.mark.parametrize("replace", [False, True])
def test_a_bad_archive_touches_nothing(site: Path, harm: str, replace: bool) -> None:
    file = made(site)
    data = bytearray(file.read_bytes())
    target = site if replace else site.parent / "new"
    before = everything(site)
    if harm == "cut":
        del data[-1000:]
    elif harm == "bit":
        data[-70_000] ^= 4
    elif harm == "beyond":
        data += b"x"
    elif harm == "other":
        data = bytearray(b"PK\3\4 something else")
    file.write_bytes(data)
    passphrase = "another passphrase" if harm == "passphrase" else PASSPHRASE
    with pytest.raises(BackupError) as refused:
        brought_back(file, target, passphrase=passphrase, replace=replace)
    assert isinstance(refused.value, WrongPassphrase) == (harm == "passphrase")
    assert str(file) in str(refused.value)
    assert "\n" not in str(refused.value)
    assert everything(site) == before
    assert sorted(path.name for path in site.parent.iterdir()) == ["a.backup", "site"]


def test_a_directory_in_use_is_refused(site: Path) -> None:
    file = made(site)
    before = everything(site)
    with pytest.raises(Conflict, match="--replace"):
        brought_back(file, site)
    with lock.hold(site), pytest.raises(AlreadyRunning):
        brought_back(file, site, replace=True)
    assert everything(site) == before


def test_what_is_replaced_is_kept_beside(site: Path) -> None:
    file = made(site)
    before = everything(site)
    (site / "signer" / "front.key").unlink()
    _, aside = brought_back(file, site, replace=True)
    assert aside is not None
    assert aside.name.startswith("site.before-restore-")
    assert everything(aside) == {k: v for k, v in before.items() if k != "signer/front.key"}
    assert (site / "signer" / "front.key").read_bytes() == before["signer/front.key"]


def test_an_empty_directory_is_taken(site: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    brought_back(made(site), tmp_path / "new")
    assert people(tmp_path / "new") == ["Maya Okafor"]


def test_verify_reads_all_and_leaves_nothing(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    file = made(site)
    assert verify(file, PASSPHRASE, progress=quiet).files == backup.look(file, PASSPHRASE).files
    data = bytearray(file.read_bytes())
    data[-2000] ^= 1
    file.write_bytes(data)
    assert backup.look(file, PASSPHRASE).with_keys, "the beginning is good"
    with pytest.raises(BackupError, match="damaged"):
        verify(file, PASSPHRASE, progress=quiet)
    assert list(place.iterdir()) == []


def test_a_database_that_its_key_does_not_open_is_not_restored(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "doorward.runtime.backup.creating.copy_database",
        lambda path, key, target, new_key: shutil.copyfile(path, target),
    )
    monkeypatch.setattr("doorward.runtime.backup.creating.reseal", lambda *_: None)
    with pytest.raises(BackupError, match="does not open with its key"):
        brought_back(made(site), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_there_is_no_half_file(site: Path) -> None:
    file = site.parent / "a.backup"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = everything(site)
    # The first ends the copying, the second the archive. Python ignores SIGXFSZ: the error is that of a full disk.
    for most in (40_000, 150_000):
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
        try:
            with pytest.raises(DoorwardError, match=r"no backup was made.*make room"):
                create(site, file, PASSPHRASE, with_keys=True, progress=quiet)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert everything(site) == before
    assert [path.name for path in site.parent.iterdir()] == ["site"]
    assert list((site / ".backup").iterdir()) == []


def test_a_file_that_is_there_stays(site: Path) -> None:
    file = site.parent / "a.backup"
    file.write_text("mine")
    with pytest.raises(Conflict, match="exists already"):
        create(site, file, PASSPHRASE, with_keys=False, progress=quiet)
    assert file.read_text() == "mine"


def test_only_an_installation_is_backed_up(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no installation"):
        create(tmp_path, tmp_path / "a", PASSPHRASE, with_keys=False, progress=quiet)
    assert list(tmp_path.iterdir()) == []


def test_a_lost_database_key_is_named_and_nothing_is_made(site: Path) -> None:
    (site / "keys" / "database.key").unlink()
    before = everything(site)
    with pytest.raises(
        DoorwardError, match=r"no backup was made: the key .*database.key is missing"
    ):
        made(site)
    assert everything(site) == before
    assert not (site.parent / "a.backup").exists()


def test_names_that_lead_elsewhere_are_refused(site: Path, tmp_path: Path) -> None:
    for name in ("../x", "/etc/x", "signer/../../x", "run/x", "signer/.x"):
        file = tmp_path / "evil.backup"
        (tmp_path / "content").write_text("x")
        manifest = Manifest("2026-11-21T10:00:00+00:00", "0.1.0", True, {name: 1})
        with file.open("wb") as out:
            writer = stream.Writer(out, PASSPHRASE)
            backup.archive.pack(manifest, {name: tmp_path / "content"}, writer, quiet)
        with pytest.raises(BackupError, match="does not hold what it says"):
            brought_back(file, tmp_path / "new")
        file.unlink()
    assert not (tmp_path / "new").exists()
    assert not (tmp_path / "x").exists()


def test_a_second_run_waits_and_a_killed_one_leaves_nothing(site: Path) -> None:
    (site / ".backup" / "signer").mkdir(parents=True)
    (site / ".backup" / "gateway.db").write_text("half a copy")
    made(site)
    assert list((site / ".backup").iterdir()) == []
    descriptor = os.open(site / ".backup", os.O_RDONLY)
    import fcntl

    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(Conflict, match="another backup"):
        made(site, "b.backup")
    os.close(descriptor)
