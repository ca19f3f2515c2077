"""The key file: private, exact, never replaced."""

from pathlib import Path

import pytest

from doorward.database import load_or_create
from doorward.errors import KeyFileError, KeyFileTooOpen


def test_a_new_key_is_private_random_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "database.key"
    key = load_or_create(path)
    assert len(key) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_or_create(path) == key
    assert load_or_create(tmp_path / "other.key") != key
    assert [entry.name for entry in path.parent.iterdir()] == ["database.key"]


def test_a_key_that_others_can_read_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "database.key"
    load_or_create(path)
    path.chmod(0o640)
    with pytest.raises(KeyFileTooOpen, match=r"mode 0640.*; chmod 600 .*database\.key"):
        load_or_create(path)


def test_a_cut_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "database.key"
    path.write_bytes(b"x" * 31)
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match="31 bytes"):
        load_or_create(path)
