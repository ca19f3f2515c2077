"""Certificates for the crowd of bench/broker.py: a CA, a server, and a device for every name."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

HOST = "doorward-broker"
_DAY = timedelta(days=1)


def certify(folder: Path, names: Iterable[str]) -> None:
    """Write ca.pem, server.pem and NAME.pem into `folder`, and the serials by name into serials.json."""
    folder.mkdir(parents=True)
    authority, key = (
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP256R1()),
    )
    ca = _signed("bench CA", authority, authority, x509.BasicConstraints(True, 0))
    (folder / "ca.pem").write_bytes(ca.public_bytes(Encoding.PEM))
    host = x509.SubjectAlternativeName([x509.DNSName(HOST)])
    # One key for all: what is measured is who checks it. Each has a certificate of its own.
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    server = _signed(HOST, key, authority, host)
    (folder / "server.pem").write_bytes(private + server.public_bytes(Encoding.PEM))
    serials = {}
    for name in names:
        made = _signed(name, key, authority)
        serials[name] = made.serial_number
        (folder / f"{name}.pem").write_bytes(private + made.public_bytes(Encoding.PEM))
    (folder / "serials.json").write_text(json.dumps(serials))


def _signed(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    authority: ec.EllipticCurvePrivateKey,
    *extensions: x509.ExtensionType,
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name("bench CA"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
    )
    for extension in extensions:
        builder = builder.add_extension(
            extension, critical=isinstance(extension, x509.BasicConstraints)
        )
    return builder.sign(authority, hashes.SHA256())


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
