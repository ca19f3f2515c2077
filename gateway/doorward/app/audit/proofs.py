"""What the signer signs about the audit, and how anybody checks it with the site's CA certificate alone.

A signature is ECDSA (P-256, SHA-256, DER) over the message that stands here, made by a key whose certificate the CA
issued for signing documents and for nothing else. Whether that certificate's time is over does not matter: what it
signed stays signed.
"""

import json
from collections.abc import Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ObjectIdentifier

from doorward.app.trust import Anchor, ExportSignature
from doorward.errors import InvalidInput

DIGEST_BYTES = 32
DOCUMENT_SIGNING = ObjectIdentifier("1.3.6.1.5.5.7.3.36")  # RFC 9336
ALGORITHM = ec.ECDSA(hashes.SHA256())


def anchor_message(count: int, digest: bytes, at_ms: int, *, restored: bool) -> bytes:
    """What an anchor's signature is over."""
    said = {"count": count, "digest": digest.hex(), "at_ms": at_ms, "restored": restored}
    return b"doorward audit anchor 1\n" + json.dumps(said, separators=(",", ":")).encode()


def export_message(digest: bytes) -> bytes:
    """What an export's signature is over. `digest`: the SHA-256 of the export's bytes."""
    return b"doorward audit export 1\n" + digest.hex().encode()


def check_anchor(anchor: Anchor, certificates: Sequence[bytes], root: bytes) -> None:
    """Raise InvalidInput unless the site whose CA certificate is `root` (PEM) signed this anchor."""
    message = anchor_message(anchor.count, anchor.digest, anchor.at_ms, restored=anchor.restored)
    _check(message, anchor.signature, certificates, root)


def check_export(digest: bytes, signed: ExportSignature, root: bytes) -> None:
    """Raise InvalidInput unless the site whose CA certificate is `root` (PEM) signed an export with this SHA-256."""
    _check(export_message(digest), signed.signature, signed.certificates, root)


def _check(message: bytes, signature: bytes, certificates: Sequence[bytes], root: bytes) -> None:
    try:
        issuer = x509.load_pem_x509_certificate(root)
        leaf = x509.load_pem_x509_certificate(certificates[0])
        leaf.verify_directly_issued_by(issuer)
        usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        key = leaf.public_key()
    except (ValueError, TypeError, IndexError, InvalidSignature, x509.ExtensionNotFound) as error:
        raise InvalidInput(
            "the certificate is not one of this site", "use the ca.crt of the site", field="ca"
        ) from error
    if list(usage) != [DOCUMENT_SIGNING] or not isinstance(key, ec.EllipticCurvePublicKey):
        raise InvalidInput("the certificate is not for signing the audit", field="certificate")
    try:
        key.verify(signature, message, ALGORITHM)
    except InvalidSignature as error:
        raise InvalidInput(
            "the signature does not fit: this is not what was signed", field="signature"
        ) from error
