"""Private files: whole or not there, for one pair of eyes, whenever the power goes."""

import os
from pathlib import Path

import pytest

from doorward import private_file
from doorward.database import load_or_create
from doorward.signer import Signer


def test_a_new_file_is_private_and_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.key"
    assert private_file.create(path, b"first")
    assert not private_file.create(path, b"second")
    assert path.read_bytes() == b"first"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert list(path.parent.iterdir()) == [path]


def test_replacing_takes_the_old_mode_away_too(tmp_path: Path) -> None:
    path = tmp_path / "site.json"
    path.write_bytes(b"old")
    path.chmod(0o644)
    private_file.replace(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


class Crash(BaseException):
    """The power goes: nothing that would handle an error runs to its end."""


@pytest.mark.parametrize("instant", ["write", "fsync"])
def test_a_crash_leaves_no_half_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, instant: str
) -> None:
    def crash(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patched:
        if instant == "fsync":
            patched.setattr(os, "fsync", crash)
        else:
            patched.setattr(os, "fdopen", crash)
        with pytest.raises(Crash):
            Signer(tmp_path / "signer").adopt("front")
        with pytest.raises(Crash):
            load_or_create(tmp_path / "database.key")
    known = Signer(tmp_path / "signer").adopt("front")
    assert Signer(tmp_path / "signer").serial("front") == known.serial
    assert len(load_or_create(tmp_path / "database.key")) == 32
