"""The servers' certificate: made when there is none, made anew in time, and then really shown."""

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from doorward import private_file
from doorward.errors import InvalidInput, KeyFileTooOpen
from doorward.runtime.servers.certificate import ServerCertificate
from doorward.signer import Signer

NAMES = ("door.local", "192.168.1.5", "fe80::1")


class Years:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Years:
    return Years()


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer(tmp_path / "signer")


@pytest.fixture
def certificate(tmp_path: Path, signer: Signer, clock: Years) -> ServerCertificate:
    return ServerCertificate(tmp_path / "keys" / "server.pem", signer, NAMES, clock)


def _serial(certificate: ServerCertificate) -> int:
    return x509.load_pem_x509_certificate(certificate.path.read_bytes()).serial_number


def test_it_is_made_once_and_kept(certificate: ServerCertificate) -> None:
    assert certificate.refresh()
    first = _serial(certificate)
    assert certificate.path.stat().st_mode & 0o777 == 0o600
    assert not certificate.refresh()
    assert _serial(certificate) == first


def test_it_is_made_anew_when_less_than_sixty_days_are_left(
    certificate: ServerCertificate, clock: Years
) -> None:
    certificate.refresh()
    until = x509.load_pem_x509_certificate(certificate.path.read_bytes()).not_valid_after_utc
    clock.at = until - timedelta(days=60)
    assert not certificate.refresh()
    clock.at += timedelta(seconds=1)
    assert certificate.refresh()


def test_another_name_takes_another_certificate_and_fewer_names_do_not(
    certificate: ServerCertificate, signer: Signer
) -> None:
    certificate.refresh()
    assert not ServerCertificate(certificate.path, signer, NAMES[:1]).refresh()
    assert not ServerCertificate(certificate.path, signer, ("FE80:0::1",)).refresh()
    assert ServerCertificate(certificate.path, signer, (*NAMES, "10.0.0.1")).refresh()
    with pytest.raises(InvalidInput):
        ServerCertificate(certificate.path, signer, ("no name",)).refresh()


def _foreign(path: Path) -> None:
    other = ServerCertificate(path.with_name("x"), Signer(path.parent / "other"), NAMES)
    other.refresh()
    other.path.rename(path)


def _mixed(path: Path) -> None:
    content = path.read_bytes()
    _foreign(path)
    key = path.read_bytes().partition(b"-----BEGIN CERT")[0]
    private_file.replace(path, key + content[content.index(b"-----BEGIN CERT") :])


@pytest.mark.parametrize("harm", [lambda path: path.write_text("{"), _foreign, _mixed])
def test_a_file_that_is_damaged_or_foreign_costs_no_more_than_another(
    certificate: ServerCertificate, harm: Callable[[Path], object]
) -> None:
    certificate.refresh()
    harm(certificate.path)
    assert certificate.refresh()
    assert not certificate.refresh()


def test_a_key_that_others_could_read_is_named(certificate: ServerCertificate) -> None:
    certificate.refresh()
    certificate.path.chmod(0o644)
    with pytest.raises(KeyFileTooOpen, match="chmod 600"):
        certificate.refresh()


def _shown(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> int:
    """The serial that a client sees, after a whole handshake in memory."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(to_client, to_server, server_hostname=name)
    asked = server.wrap_bio(to_server, to_client, server_side=True)
    for _round in range(4):
        for side in (asking, asked):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    seen = asking.getpeercert(binary_form=True)
    assert seen
    return x509.load_der_x509_certificate(seen).serial_number


def test_a_running_server_shows_the_new_one_once_it_is_loaded(
    certificate: ServerCertificate, signer: Signer, clock: Years
) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    client = ssl.create_default_context(cadata=signer.certificate().decode())
    certificate.refresh()
    server.load_cert_chain(certificate.path)
    for name in ("doorward-broker", *NAMES):
        assert _shown(server, client, name) == _serial(certificate)
    with pytest.raises(ssl.SSLCertVerificationError):
        _shown(server, client, "evil.local")
    old = _serial(certificate)
    clock.at += timedelta(days=700)
    assert certificate.refresh()
    server.load_cert_chain(certificate.path)
    assert _shown(server, client, "doorward-broker") == _serial(certificate) != old
