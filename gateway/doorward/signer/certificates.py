"""What each kind of certificate says, and what it forbids.

All are valid from 1999-12-31 on: a board without a clock starts in 2000 and must be able to verify. All keys are P-256.
"""

import ipaddress
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from doorward.app.audit.proofs import DOCUMENT_SIGNING
from doorward.errors import InvalidInput

BROKER_NAME = "doorward-broker"  # what a board expects to find in its broker's certificate
VALID_FROM = datetime(1999, 12, 31, tzinfo=UTC)
# The last year that a certificate may say with two digits: no reader stumbles over it.
VALID_UNTIL = datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)
SERVER_LIFE = timedelta(days=730)

# A gateway without a clock of its own may start in 1970; what it issues then must not be over when it learns better.
_NOT_BEFORE_THIS = datetime(2026, 1, 1, tzinfo=UTC)
_HOST = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*")
_LONGEST_HOST = 253

Key = ec.EllipticCurvePrivateKey


def new_key() -> Key:
    """A P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def root(key: Key) -> x509.Certificate:
    """The site's own root. It signs certificates and revocation lists, and no other authority."""
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    name = _name(f"doorward CA {identifier.digest.hex()[:8]}")
    usage = _usage(key_cert_sign=True, crl_sign=True)
    return (
        _started(name, name, key.public_key(), VALID_UNTIL)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )


def for_client(issuer: x509.Certificate, issuer_key: Key, key: Key, name: str) -> x509.Certificate:
    """A client's, a board or a user: its CN is the name that it comes under, and it lets nobody pose as a server."""
    builder = _leaf(issuer, key, name, VALID_UNTIL, ExtendedKeyUsageOID.CLIENT_AUTH)
    return builder.sign(issuer_key, hashes.SHA256())


def for_server(
    issuer: x509.Certificate, issuer_key: Key, key: Key, names: Sequence[str], now: datetime
) -> x509.Certificate:
    """The broker's and the page's: BROKER_NAME, then `names` (DNS names and IP addresses). Raises InvalidInput."""
    alternatives = [_alternative(name) for name in dict.fromkeys((BROKER_NAME, *names))]
    until = max(now, _NOT_BEFORE_THIS) + SERVER_LIFE
    builder = _leaf(issuer, key, "doorward server", until, ExtendedKeyUsageOID.SERVER_AUTH)
    return builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False).sign(
        issuer_key, hashes.SHA256()
    )


def for_audit(issuer: x509.Certificate, issuer_key: Key, key: Key) -> x509.Certificate:
    """What signs anchors and exports of the audit, and can do nothing else."""
    builder = _leaf(issuer, key, "doorward audit", VALID_UNTIL, DOCUMENT_SIGNING)
    return builder.sign(issuer_key, hashes.SHA256())


def revocation_list(
    issuer: x509.Certificate, issuer_key: Key, number: int, revoked: Sequence[tuple[int, datetime]]
) -> x509.CertificateRevocationList:
    """The list of (serial, since when). It is valid as long as the root: who has no newer one keeps to the old."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(VALID_FROM)
        .next_update(VALID_UNTIL)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(_issued_by(issuer), critical=False)
    )
    for serial, since in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(issuer_key, hashes.SHA256())


def names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """The names and addresses that a server's certificate is for."""
    said = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return tuple(str(name.value) for name in said)


def plain(name: str) -> str:
    """A name or address in its one spelling: the one in which `names_of` returns it."""
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name


def _leaf(
    issuer: x509.Certificate, key: Key, name: str, until: datetime, purpose: ObjectIdentifier
) -> x509.CertificateBuilder:
    public = key.public_key()
    return (
        _started(issuer.subject, _name(name), public, until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(_issued_by(issuer), critical=False)
    )


def _started(
    issuer: x509.Name, subject: x509.Name, public: ec.EllipticCurvePublicKey, until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(VALID_FROM)
        .not_valid_after(until)
    )


def _issued_by(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    said = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(said)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    if len(name) > _LONGEST_HOST or not _HOST.fullmatch(name):
        raise InvalidInput(
            f"{name!r} is no name or address of a server", "use one like door.local", field="names"
        )
    return x509.DNSName(name)
