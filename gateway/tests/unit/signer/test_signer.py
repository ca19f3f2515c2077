"""Device keys: one private file each, and no secret in a repr."""

import hashlib
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from doorward.app.trust import Adoption
from doorward.errors import InvalidInput, KeyFileError, KeyFileTooOpen, UnknownDevice
from doorward.signer import Signer
from doorward_core import seal
from doorward_core.seal import SealError


def test_neither_password_nor_certificate_key_is_kept(tmp_path: Path) -> None:
    adoption = Signer(tmp_path).adopt("front")
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert adoption.key.encode() in kept, "the control: what has to be kept is found like this"
    assert adoption.secret.encode() not in kept
    assert adoption.private_key not in kept
    private = load_der_private_key(adoption.private_key, None)
    for kind in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL):
        assert private.private_bytes(Encoding.PEM, kind, NoEncryption()) not in kept


def test_a_file_that_is_open_or_damaged_or_misplaced_is_refused(tmp_path: Path) -> None:
    Signer(tmp_path).adopt("front")
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
        ("password", "A" * 64),
        ("key", 7),
        ("password", None),
        ("epoch", "1"),
        ("epoch", 0),
        ("device", 5),
    ],
)
def test_a_file_that_holds_something_else_is_refused_by_name(
    tmp_path: Path, field: str, value: object
) -> None:
    Signer(tmp_path).adopt("front")
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
        signer.tags("ghost", b"1234")


def test_adopting_gives_everything_once_and_makes_it_anew_the_second_time(tmp_path: Path) -> None:
    signer = Signer(tmp_path)
    first, second = signer.adopt("front"), signer.adopt("front")
    assert (tmp_path / "front.key").stat().st_mode & 0o777 == 0o600
    for secret in ("secret", "key", "private_key", "certificate", "serial"):
        assert getattr(first, secret) != getattr(second, secret)
    assert signer.is_revoked(first.serial)
    assert not signer.is_revoked(second.serial)
    for known in (signer, Signer(tmp_path)):
        assert known.devices() == ("front",)
        assert known.serial("front") == second.serial
        assert known.digests() == {"front": hashlib.sha256(second.secret.encode()).digest()}
    assert not any(s in repr(first) for s in (first.secret, first.key, str(first.private_key)))


def test_an_adopted_board_seals_and_the_one_before_it_does_not(tmp_path: Path) -> None:
    signer = Signer(tmp_path)
    nonce = seal.nonce_word(bytes(16))

    def asked(adoption: Adoption) -> bytes:
        keys = seal.Keys("front", bytes.fromhex(adoption.key), adoption.epoch)
        return seal.seal(keys, "access/request", nonce, b"{}")

    first = signer.adopt("front")
    assert signer.verify("front", "access/request", asked(first)).body == b"{}"
    tag = signer.tags("front", b"1234")
    second = signer.adopt("front")
    with pytest.raises(SealError):
        signer.verify("front", "access/request", asked(first))
    assert signer.verify("front", "access/request", asked(second)).body == b"{}"
    assert signer.tags("front", b"1234") != tag


def test_a_forgotten_device_is_gone_from_disk_too(tmp_path: Path) -> None:
    signer = Signer(tmp_path)
    adoption = signer.adopt("front")
    signer.forget("front")
    signer.forget("front")
    signer.forget("ghost")
    for known in (signer, Signer(tmp_path)):
        assert known.devices() == ()
        assert known.digests() == {}
        assert known.is_revoked(adoption.serial)
    assert not (tmp_path / "front.key").exists()


@pytest.mark.parametrize("device", ["", "../x", "a/b", "a.b", "x" * 33, "é"])
def test_only_an_id_can_be_adopted(tmp_path: Path, device: str) -> None:
    with pytest.raises(InvalidInput, match="no device id"):
        Signer(tmp_path).adopt(device)
    assert not list(tmp_path.glob("**/*.key"))


def test_a_device_may_be_called_like_a_file_of_the_authority(tmp_path: Path) -> None:
    signer = Signer(tmp_path)
    for name in ("ca", "audit"):
        signer.adopt(name)
    assert sorted(Signer(tmp_path).devices()) == ["audit", "ca"]
    assert Signer(tmp_path).certificate() == signer.certificate()


def test_a_file_of_the_first_format_is_still_read_and_one_from_the_future_is_not(
    tmp_path: Path,
) -> None:
    known = {"device": "front", "secret": "a" * 64, "key": "b" * 64, "epoch": 3}
    path = tmp_path / "front.key"
    path.write_text(json.dumps(known))
    path.chmod(0o600)
    assert Signer(tmp_path).serial("front") is None
    assert Signer(tmp_path).digests() == {"front": hashlib.sha256(b"a" * 64).digest()}
    adoption = Signer(tmp_path).adopt("front")
    assert Signer(tmp_path).serial("front") == adoption.serial
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 9, "hsm": True}))
    with pytest.raises(KeyFileError, match="newer doorward; start that version"):
        Signer(tmp_path)


@pytest.mark.parametrize("device", ["../other", "..", "", "a/b", "a\0b", "/tmp/other"])
def test_what_is_no_device_is_not_forgotten(tmp_path: Path, device: str) -> None:
    """The gateway may be in other hands: no call of its reaches a file beside the devices' own."""
    signer = Signer(tmp_path / "keys")
    signer.adopt("front")
    other = tmp_path / "other.key"
    other.write_bytes(b"another's")
    with pytest.raises(InvalidInput, match="no device id"):
        signer.forget(device)
    assert other.exists()
    signer.forget("front")  # the control
    assert signer.devices() == ()
