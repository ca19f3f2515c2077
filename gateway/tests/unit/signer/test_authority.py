"""The site's CA: what it signs is what it should be, and nothing more; what is wrong with its files is said."""

import ipaddress
import os
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    load_der_private_key,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import (
    ClientVerifier,
    Criticality,
    ExtensionPolicy,
    PolicyBuilder,
    ServerVerifier,
    Store,
    VerificationError,
)

from doorward import private_file
from doorward.errors import InvalidInput, KeyFileError, KeyFileTooOpen
from doorward.signer import Authority, certificates

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
NO_CLOCK = datetime(2000, 1, 1, 0, 0, 10, tzinfo=UTC)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.load_or_create(tmp_path, lambda: NOW)


def _policy(authority: Authority, at: datetime) -> PolicyBuilder:
    root = x509.load_der_x509_certificate(authority.certificate_der)
    return PolicyBuilder().store(Store([root])).time(at)


def _as_client(authority: Authority, at: datetime) -> ClientVerifier:
    """The verifier's own policy, but for one thing: what a board is called stands in the subject alone."""
    leaf = ExtensionPolicy.webpki_defaults_ee().may_be_present(
        x509.SubjectAlternativeName, Criticality.AGNOSTIC, None
    )
    policies = {"ca_policy": ExtensionPolicy.webpki_defaults_ca(), "ee_policy": leaf}
    return _policy(authority, at).extension_policies(**policies).build_client_verifier()


def _as_server(authority: Authority, at: datetime, name: str) -> ServerVerifier:
    try:
        subject: x509.IPAddress | x509.DNSName = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        subject = x509.DNSName(name)
    return _policy(authority, at).build_server_verifier(subject)


@pytest.mark.parametrize("at", [NO_CLOCK, NOW, datetime(2049, 12, 30, tzinfo=UTC)])
def test_a_device_is_believed_with_and_without_a_clock(authority: Authority, at: datetime) -> None:
    made = authority.certify_device("front")
    leaf = x509.load_der_x509_certificate(made.certificate)
    chain = _as_client(authority, at).verify(leaf, []).chain
    assert len(chain) == 2
    assert leaf.subject.rfc4514_string() == "CN=front"
    assert leaf.serial_number == made.serial
    key = load_der_private_key(made.key, None)
    assert key.public_key() == leaf.public_key()


@pytest.mark.parametrize("name", ["doorward-broker", "door.local", "192.168.1.5", "::1"])
@pytest.mark.parametrize("at", [NO_CLOCK, NOW])
def test_a_server_is_believed_under_each_of_its_names(
    authority: Authority, at: datetime, name: str
) -> None:
    made = authority.certify_server(["door.local", "192.168.1.5", "::1"])
    leaf = x509.load_pem_x509_certificate(made.certificate)
    assert len(_as_server(authority, at, name).verify(leaf, [])) == 2
    assert load_pem_private_key(made.private_key, None).public_key() == leaf.public_key()
    with pytest.raises(VerificationError):
        _as_server(authority, at, "evil.local").verify(leaf, [])


def test_nobody_poses_as_the_other(authority: Authority, tmp_path: Path) -> None:
    device = x509.load_der_x509_certificate(authority.certify_device("doorward-broker").certificate)
    server = x509.load_pem_x509_certificate(authority.certify_server(()).certificate)
    audit = x509.load_pem_x509_certificate(authority.certify_audit())
    for leaf in (server, audit):
        with pytest.raises(VerificationError):
            _as_client(authority, NOW).verify(leaf, [])
    for leaf in (device, audit):
        with pytest.raises(VerificationError):
            _as_server(authority, NOW, "doorward-broker").verify(leaf, [])
    other = Authority.load_or_create(tmp_path / "other")
    stranger = x509.load_der_x509_certificate(other.certify_device("front").certificate)
    with pytest.raises(VerificationError):
        _as_client(authority, NOW).verify(stranger, [])
    assert authority.issued(device)
    assert not authority.issued(stranger)


def test_a_server_certificate_ends_in_two_years_and_says_so(authority: Authority) -> None:
    leaf = x509.load_pem_x509_certificate(authority.certify_server(()).certificate)
    assert leaf.not_valid_after_utc == NOW + timedelta(days=730)
    with pytest.raises(VerificationError):
        _as_server(authority, NOW + timedelta(days=731), "doorward-broker").verify(leaf, [])


def test_a_gateway_whose_clock_starts_in_1970_issues_nothing_that_is_over(tmp_path: Path) -> None:
    early = Authority.load_or_create(tmp_path, lambda: datetime(1970, 1, 1, tzinfo=UTC))
    leaf = x509.load_pem_x509_certificate(early.certify_server(()).certificate)
    _as_server(early, NOW, "doorward-broker").verify(leaf, [])
    early.revoke(7)
    assert early.is_revoked(7)


def test_what_each_certificate_may_do(authority: Authority) -> None:
    root = x509.load_der_x509_certificate(authority.certificate_der)
    usage = root.extensions.get_extension_for_class(x509.KeyUsage)
    basic = root.extensions.get_extension_for_class(x509.BasicConstraints)
    assert usage.critical
    assert (usage.value.key_cert_sign, usage.value.crl_sign) == (True, True)
    assert not usage.value.digital_signature
    assert basic.critical
    assert (basic.value.ca, basic.value.path_length) == (True, 0)
    issuer = root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    leaves = {
        ExtendedKeyUsageOID.CLIENT_AUTH: x509.load_der_x509_certificate(
            authority.certify_device("front").certificate
        ),
        ExtendedKeyUsageOID.SERVER_AUTH: x509.load_pem_x509_certificate(
            authority.certify_server(()).certificate
        ),
        x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36"): x509.load_pem_x509_certificate(
            authority.certify_audit()
        ),
    }
    for purpose, leaf in leaves.items():
        said = leaf.extensions
        assert list(said.get_extension_for_class(x509.ExtendedKeyUsage).value) == [purpose]
        assert not said.get_extension_for_class(x509.BasicConstraints).value.ca
        usage = said.get_extension_for_class(x509.KeyUsage)
        assert usage.value.digital_signature
        assert not usage.value.key_cert_sign
        by = said.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
        assert by == issuer
        own = said.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        public = leaf.public_key()
        assert own == x509.SubjectKeyIdentifier.from_public_key(public).digest  # type: ignore[arg-type]
        assert leaf.not_valid_before_utc == datetime(1999, 12, 31, tzinfo=UTC)
    assert len({leaf.serial_number for leaf in leaves.values()}) == 3


@pytest.mark.parametrize(
    "name",
    ["", "a b", "*.local", "-x", "x-", "a..b", "x" * 64, "<img src=x>", "10.0.0.0/8", "ä.de"],
)
def test_a_name_that_is_none_is_refused(authority: Authority, name: str) -> None:
    with pytest.raises(InvalidInput, match="no name or address"):
        authority.certify_server([name])


def test_what_is_revoked_stays_so(authority: Authority, tmp_path: Path) -> None:
    kept, gone = authority.certify_device("front"), authority.certify_device("back")
    authority.revoke(gone.serial)
    authority.revoke(gone.serial)
    for known in (authority, Authority.load_or_create(tmp_path)):
        assert known.is_revoked(gone.serial)
        assert not known.is_revoked(kept.serial)
        crl = x509.load_pem_x509_crl(known.crl())
        assert [entry.serial_number for entry in crl] == [gone.serial]
        assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 2
    assert next(iter(crl)).revocation_date_utc == NOW


def test_two_processes_take_back_what_the_other_did_not_know(tmp_path: Path) -> None:
    one, two = Authority.load_or_create(tmp_path), Authority.load_or_create(tmp_path)
    one.revoke(5)
    two.revoke(6)
    assert two.is_revoked(5)
    assert {entry.serial_number for entry in x509.load_pem_x509_crl(two.crl())} == {5, 6}


def test_the_files_are_private_and_there_are_no_others(
    authority: Authority, tmp_path: Path
) -> None:
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ca.crl", "ca.crt", "ca.pem"]
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    assert (tmp_path / "ca.crt").read_bytes() == authority.certificate
    assert b"PRIVATE" not in authority.certificate
    assert Authority.load_or_create(tmp_path).certificate == authority.certificate


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:40])


def _exchange(path: Path) -> None:
    Authority.load_or_create(path.parent / "other")
    shutil.copy(path.parent / "other" / path.name, path)


@pytest.mark.parametrize(
    ("name", "harm", "said"),
    [
        ("ca.pem", _truncate, r"ca\.pem holds no key and certificate; restore"),
        ("ca.pem", _exchange, r"ca\.crl is the revocation list of another authority; restore"),
        ("ca.pem", Path.unlink, r"ca\.pem is missing, and no board would know another; restore"),
        ("ca.crl", _truncate, r"ca\.crl is no revocation list; restore"),
        ("ca.crl", _exchange, r"ca\.crl is the revocation list of another authority; restore"),
        ("ca.crl", Path.unlink, r"ca\.crl cannot be read"),
    ],
)
def test_a_file_that_is_damaged_foreign_or_gone_is_named(
    authority: Authority, tmp_path: Path, name: str, harm: Callable[[Path], None], said: str
) -> None:
    harm(tmp_path / name)
    with pytest.raises(KeyFileError, match=said):
        Authority.load_or_create(tmp_path)


def test_a_key_of_another_certificate_is_refused(authority: Authority, tmp_path: Path) -> None:
    other = Authority.load_or_create(tmp_path / "other")
    key = (tmp_path / "other" / "ca.pem").read_bytes().partition(b"-----BEGIN CERT")[0]
    private_file.replace(tmp_path / "ca.pem", key + authority.certificate)
    with pytest.raises(KeyFileError, match="a key of another certificate"):
        Authority.load_or_create(tmp_path)
    assert other.certificate != authority.certificate


def test_a_key_file_that_others_may_read_is_refused(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").chmod(0o640)
    with pytest.raises(KeyFileTooOpen, match="chmod 600"):
        Authority.load_or_create(tmp_path)


class Crash(BaseException):
    """The power goes."""


@pytest.mark.parametrize("step", range(13))
def test_a_power_cut_at_any_step_leaves_a_usable_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """Each file operation in turn is the last; what was handed out before still counts afterwards."""
    left = step
    founded: list[bytes] = []
    revoked: list[int] = []

    def count(real: Callable[..., object]) -> Callable[..., object]:
        def counted(*args: object, **named: object) -> object:
            nonlocal left
            if left == 0:
                raise Crash
            left -= 1
            return real(*args, **named)

        return counted

    with monkeypatch.context() as patched:
        for name in ("link", "fsync"):
            patched.setattr(os, name, count(getattr(os, name)))
        patched.setattr(Path, "replace", count(Path.replace))
        try:
            authority = Authority.load_or_create(tmp_path)
            founded.append(authority.certificate)
            made = authority.certify_device("front")
            authority.revoke(made.serial)
            revoked.append(made.serial)
        except Crash:
            assert not revoked
    after = Authority.load_or_create(tmp_path)
    assert founded in ([], [after.certificate])
    assert all(after.is_revoked(serial) for serial in revoked)
    again = after.certify_device("front")
    after.revoke(again.serial)
    assert after.is_revoked(again.serial)
    assert bool(revoked) == (step == 12), (
        "there are twelve such operations, and the last run is whole"
    )


def test_the_names_of_a_server_can_be_read_back(authority: Authority) -> None:
    made = authority.certify_server(["door.local", "10.0.0.7", "door.local"])
    leaf = x509.load_pem_x509_certificate(made.certificate)
    assert certificates.names_of(leaf) == ("doorward-broker", "door.local", "10.0.0.7")
    common = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    assert common == "doorward server", "a space: no device can be called so"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl on this machine")
def test_openssl_agrees(authority: Authority, tmp_path: Path) -> None:
    kept, gone = authority.certify_device("front"), authority.certify_device("back")
    server = authority.certify_server(["door.local"])
    authority.revoke(gone.serial)
    (tmp_path / "list.pem").write_bytes(authority.crl())
    for name, certificate in (("kept", kept.certificate), ("gone", gone.certificate)):
        leaf = x509.load_der_x509_certificate(certificate)
        (tmp_path / f"{name}.pem").write_bytes(leaf.public_bytes(Encoding.PEM))
    (tmp_path / "server.pem").write_bytes(server.certificate)

    def verify(name: str, purpose: str, *more: str) -> str:
        listed = ("-crl_check", "-CRLfile", str(tmp_path / "list.pem"), *more)
        command = ("openssl", "verify", "-x509_strict", "-CAfile", str(tmp_path / "ca.crt"))
        done = subprocess.run(
            (*command, "-purpose", purpose, *listed, str(tmp_path / f"{name}.pem")),
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout + done.stderr

    no_clock = ("-attime", str(int(NO_CLOCK.timestamp())))
    assert verify("kept", "sslclient").endswith("kept.pem: OK\n")
    assert verify("kept", "sslclient", *no_clock).endswith("kept.pem: OK\n")
    assert verify("server", "sslserver", "-verify_hostname", "door.local").endswith("OK\n")
    assert verify("server", "sslserver", *no_clock).endswith("OK\n")
    assert "certificate revoked" in verify("gone", "sslclient")
    assert "unsuitable certificate purpose" in verify("kept", "sslserver")
    assert "unsuitable certificate purpose" in verify("server", "sslclient")
    assert (
        "hostname mismatch" in verify("server", "sslserver", "-verify_hostname", "x.local").lower()
    )
