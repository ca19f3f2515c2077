"""Certificates of the broker's users, as the signer keeps account of them."""

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from doorward.broker.identity.certificates import REPLACED, Listed, Shown, refuses
from doorward.broker.identity.principals import Principal, Role
from doorward.errors import Conflict, InvalidInput, KeyFileError
from doorward.signer import Signer


def test_a_users_certificate_is_remembered_revoked_and_its_key_is_nowhere(tmp_path: Path) -> None:
    signer = Signer(tmp_path)
    made = signer.certify_user("ann@school")
    certificate = x509.load_pem_x509_certificate(made.certificate)
    (common,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert (common.value, certificate.serial_number) == ("ann@school", made.serial)
    assert (tmp_path / "users.json").stat().st_mode & 0o777 == 0o600
    lines = made.private_key.split(b"\n")
    assert all(lines[1] not in path.read_bytes() for path in tmp_path.iterdir())
    assert made.private_key.decode()[40:60] not in repr(made)
    again = Signer(tmp_path)
    assert again.serial("ann@school") == made.serial
    second = again.certify_user("ann@school")
    assert again.is_revoked(made.serial)
    assert not again.is_revoked(second.serial)
    again.forget_user("ann@school")
    again.forget_user("ann@school")
    assert again.is_revoked(second.serial)
    assert Signer(tmp_path).serial("ann@school") is None


def test_a_board_and_a_user_have_no_name_in_common(tmp_path: Path) -> None:
    signer = Signer(tmp_path)
    signer.adopt("front")
    with pytest.raises(Conflict, match="name of a board"):
        signer.certify_user("front")
    of_a_user = signer.certify_user("back")
    adopted = signer.adopt("back")
    assert signer.is_revoked(of_a_user.serial), "it would pass for the board's"
    assert signer.serial("back") == adopted.serial
    signer.forget("back")
    assert signer.serial("back") is None


@pytest.mark.parametrize("name", ["", "a/b", "x" * 65, "a b", "ä"])
def test_what_is_no_user_name_gets_none(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="no user name"):
        Signer(tmp_path).certify_user(name)
    with pytest.raises(InvalidInput, match="no user name"):
        Signer(tmp_path).forget_user(name)


@pytest.mark.parametrize("content", ["{", "7", '{"ann": "1"}', '{"a b": 1}'])
def test_a_damaged_list_is_refused_by_its_name(tmp_path: Path, content: str) -> None:
    Signer(tmp_path).certify_user("ann")
    (tmp_path / "users.json").write_text(content)
    with pytest.raises(KeyFileError, match=r"users\.json"):
        Signer(tmp_path)


def test_a_user_is_asked_for_the_certificate_on_record_a_board_is_not() -> None:
    """A lost record lets no old certificate pass; a board from before records has none and comes in by its secret."""
    for role, expected in ((Role.USER, REPLACED), (Role.DEVICE, None)):
        one = Principal("ann", role)
        assert refuses(one, Shown("ann", 7), Listed({}, ())) == expected
        assert refuses(one, Shown("ann", 7), Listed({"ann": 8}, ())) == expected
        assert refuses(one, Shown("ann", 7), Listed({"ann": 7}, ())) is None
