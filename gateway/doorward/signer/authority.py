"""The site's certificate authority: its key, its root certificate and the list of what it takes back.

Three files. `ca.pem` (key and root together, so that neither is ever without the other) and `ca.crl` are what there is;
`ca.crt` is the root for people to copy, and the witness that there was a `ca.pem` once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from doorward import private_file
from doorward.app.trust import ServerIdentity, UserIdentity
from doorward.errors import KeyFileError
from doorward.file_lock import lock_directory
from doorward.signer import certificates

_BACKUP = "restore it from your backup"


@dataclass(frozen=True, slots=True)
class Certified:
    """A board's new key with its certificate, both DER."""

    certificate: bytes
    key: bytes = field(repr=False)
    serial: int


def _now() -> datetime:
    return datetime.now(UTC)


class Authority:
    """Issues and revokes. Nothing that it issued can issue."""

    def __init__(
        self,
        directory: Path,
        key: ec.EllipticCurvePrivateKey,
        certificate: x509.Certificate,
        now: Callable[[], datetime] = _now,
    ) -> None:
        """Take over what `load_or_create` found. Raises KeyFileError for a list that is not ours or gone."""
        self._directory = directory
        self._key = key
        self._root = certificate
        self._now = now
        self._list = self._read_list()
        self._revoked = {entry.serial_number for entry in self._list}

    @classmethod
    def load_or_create(cls, directory: Path, now: Callable[[], datetime] = _now) -> Self:
        """Open the authority in `directory`, or found it where there is none. Raises KeyFileError."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path, root = directory / "ca.pem", directory / "ca.crt"
        with lock_directory(directory, wait=True):
            if not path.exists():
                if root.exists():
                    raise KeyFileError(
                        f"key file {path} is missing, and no board would know another", _BACKUP
                    )
                _found(directory)
            key, certificate = read_pair(path)
            authority = cls(directory, key, certificate, now)
            if not root.exists() or root.read_bytes() != authority.certificate:
                private_file.replace(root, authority.certificate)
        return authority

    @property
    def certificate(self) -> bytes:
        """The root, PEM: what a browser or a phone is told to trust."""
        return self._root.public_bytes(Encoding.PEM)

    @property
    def certificate_der(self) -> bytes:
        """The root, DER: what a board is told to trust."""
        return self._root.public_bytes(Encoding.DER)

    def certify_device(self, device: str) -> Certified:
        """A new key and certificate for a board; earlier ones stay valid until they are revoked."""
        key = certificates.new_key()
        made = certificates.for_client(self._root, self._key, key, device)
        private = key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        return Certified(made.public_bytes(Encoding.DER), private, made.serial_number)

    def certify_user(self, name: str) -> UserIdentity:
        """A new key and certificate for a user of the broker; earlier ones stay valid until they are revoked."""
        key = certificates.new_key()
        made = certificates.for_client(self._root, self._key, key, name)
        pem = made.public_bytes(Encoding.PEM)
        return UserIdentity(pem, _pem(key), self.certificate, made.serial_number)

    def certify_server(self, names: Sequence[str]) -> ServerIdentity:
        """A new key and certificate for BROKER_NAME and `names`, DNS names and IP addresses. Raises InvalidInput."""
        key = certificates.new_key()
        made = certificates.for_server(self._root, self._key, key, names, self._now())
        return ServerIdentity(made.public_bytes(Encoding.PEM), _pem(key))

    def certify_audit(self) -> bytes:
        """A new key and certificate for signing the audit, as the content of a key file."""
        key = certificates.new_key()
        made = certificates.for_audit(self._root, self._key, key)
        return _pem(key) + made.public_bytes(Encoding.PEM)

    def issued(self, certificate: x509.Certificate) -> bool:
        """True for a certificate of this authority, whether or not it is still good."""
        try:
            certificate.verify_directly_issued_by(self._root)
        except (ValueError, TypeError, InvalidSignature):
            return False
        return True

    def revoke(self, serial: int) -> None:
        """Take a certificate back, for good. On disk when this returns; nothing happens the second time."""
        with lock_directory(self._directory, wait=True):
            self._list = self._read_list()
            revoked = [(entry.serial_number, entry.revocation_date_utc) for entry in self._list]
            if serial not in {known for known, _since in revoked}:
                number = self._list.extensions.get_extension_for_class(x509.CRLNumber).value
                revoked.append((serial, max(self._now(), certificates.VALID_FROM)))
                self._list = certificates.revocation_list(
                    self._root, self._key, number.crl_number + 1, revoked
                )
                private_file.replace(self._directory / "ca.crl", self.crl())
        self._revoked = {entry.serial_number for entry in self._list}

    def is_revoked(self, serial: int) -> bool:
        return serial in self._revoked

    def crl(self) -> bytes:
        """The revocation list, PEM, signed: for brokers that are not ours."""
        return self._list.public_bytes(Encoding.PEM)

    def _read_list(self) -> x509.CertificateRevocationList:
        path = self._directory / "ca.crl"
        try:
            known = x509.load_pem_x509_crl(private_file.read_key(path))
        except ValueError as error:
            raise KeyFileError(f"{path} is no revocation list", _BACKUP) from error
        if not known.is_signature_valid(self._key.public_key()):
            raise KeyFileError(f"{path} is the revocation list of another authority", _BACKUP)
        return known


def read_pair(path: Path) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """A private key and its certificate, in one PEM file. Raises KeyFileError when they are no pair."""
    content = private_file.read_key(path)
    try:
        key = load_pem_private_key(content, password=None)
        certificate = x509.load_pem_x509_certificate(content)
    except (ValueError, TypeError) as error:
        raise KeyFileError(f"key file {path} holds no key and certificate", _BACKUP) from error
    if (
        not isinstance(key, ec.EllipticCurvePrivateKey)
        or not isinstance(key.curve, ec.SECP256R1)
        or key.public_key() != certificate.public_key()
    ):
        raise KeyFileError(f"key file {path} holds a key of another certificate", _BACKUP)
    return key, certificate


def _found(directory: Path) -> None:
    """Make a new authority. The list comes first: a list without a key is worth nothing, and is written over."""
    key = certificates.new_key()
    root = certificates.root(key)
    empty = certificates.revocation_list(root, key, 1, ())
    private_file.replace(directory / "ca.crl", empty.public_bytes(Encoding.PEM))
    private_file.create(directory / "ca.pem", _pem(key) + root.public_bytes(Encoding.PEM))


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
