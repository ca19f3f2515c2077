"""Device keys: one private file each, and no secret in a repr."""

import json
from pathlib import Path

import pytest

from doorward.errors import KeyFileError, KeyFileTooOpen, UnknownDevice
from doorward.signer import Signer
from doorward_core.seal import SealError


def test_enrolling_makes_a_private_file_and_stays(tmp_path: Path) -> None:
    first = Signer(tmp_path).enrol("front")
    assert (tmp_path / "front.key").stat().st_mode & 0o777 == 0o600
    signer = Signer(tmp_path)
    assert signer.enrol("front") == first
    assert signer.devices() == ("front",)
    assert signer.enrol("back").key != first.key
    assert first.key not in repr(first)
    assert first.secret not in repr(first)


def test_a_file_that_is_open_or_damaged_or_misplaced_is_refused(tmp_path: Path) -> None:
    Signer(tmp_path).enrol("front")
    path = tmp_path / "front.key"
    path.chmod(0o644)
    with pytest.raises(KeyFileTooOpen, match="chmod 600"):
        Signer(tmp_path)
    path.chmod(0o600)
    path.rename(tmp_path / "back.key")
    with pytest.raises(KeyFileError, match="no key of back"):
        Signer(tmp_path)
    (tmp_path / "back.key").write_text("{")
    with pytest.raises(KeyFileError, match="no device key"):
        Signer(tmp_path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("key", "x" * 64),
        ("secret", "A" * 64),
        ("key", 7),
        ("secret", None),
        ("epoch", "1"),
        ("epoch", 0),
        ("device", 5),
    ],
)
def test_a_file_that_holds_something_else_is_refused_by_name(
    tmp_path: Path, field: str, value: object
) -> None:
    Signer(tmp_path).enrol("front")
    path = tmp_path / "front.key"
    path.write_text(json.dumps({**json.loads(path.read_text()), field: value}))
    with pytest.raises(KeyFileError, match=r"front\.key is no key of front; restore"):
        Signer(tmp_path)


def test_an_unknown_device_looks_like_a_wrong_seal(tmp_path: Path) -> None:
    with pytest.raises(SealError) as refused:
        Signer(tmp_path).verify("ghost", "access/request", b"{}\ndw1 1 n:00 00")
    assert refused.value.reason == "mac"


def test_nothing_is_sealed_for_an_unknown_device_and_its_key_is_named(tmp_path: Path) -> None:
    signer = Signer(tmp_path)
    with pytest.raises(UnknownDevice, match=r"ghost has no key here; restore .*/ghost\.key"):
        signer.seal("ghost", "config", "c:1", b"{}")
    with pytest.raises(UnknownDevice):
        signer.tag("ghost", b"1234")
