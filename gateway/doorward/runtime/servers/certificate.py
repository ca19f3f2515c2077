"""The certificate that the broker and the page show: one private file, made anew in time, without a restart."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from doorward import private_file
from doorward.app.signer_ports import Registrar
from doorward.signer import certificates

_RENEW_BEFORE = timedelta(days=60)


def _now() -> datetime:
    return datetime.now(UTC)


class ServerCertificate:
    """A file with a private key and its certificate, PEM, as `SSLContext.load_cert_chain` takes it.

    The signer issues and does not keep the key. Whatever is wrong with the file costs no more than another one.
    """

    def __init__(
        self,
        path: Path,
        registrar: Registrar,
        names: Sequence[str],
        now: Callable[[], datetime] = _now,
    ) -> None:
        """`names`: what boards and browsers may call this machine, DNS names and IP addresses."""
        self.path = path
        self._registrar = registrar
        self.names = tuple(dict.fromkeys(names))
        self._now = now

    def refresh(self) -> bool:
        """See to it that there is a good certificate, for 60 days at least; True when it is a new one: load it then.

        Raises InvalidInput for a name that is none, KeyFileTooOpen when others could read the key, Unavailable when
        the signer is away.
        """
        if self._is_good():
            return False
        made = self._registrar.certify_server(self.names)
        private_file.replace(self.path, made.private_key + made.certificate)
        return True

    def due(self) -> datetime:
        """When it is time for another, UTC."""
        return self.until() - _RENEW_BEFORE

    def until(self) -> datetime:
        """When the certificate in the file ends, UTC."""
        content = private_file.read_key(self.path)
        return x509.load_pem_x509_certificate(content).not_valid_after_utc

    def _is_good(self) -> bool:
        if not self.path.exists():
            return False
        content = private_file.read_key(self.path)
        try:
            certificate = x509.load_pem_x509_certificate(content)
            key = load_pem_private_key(content, password=None)
            root = x509.load_pem_x509_certificate(self._registrar.certificate())
            certificate.verify_directly_issued_by(root)
            names = certificates.names_of(certificate)
        except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
            return False
        return (
            key.public_key() == certificate.public_key()
            and set(names).issuperset(certificates.plain(name) for name in self.names)
            and certificate.not_valid_after_utc - self._now() >= _RENEW_BEFORE
        )
