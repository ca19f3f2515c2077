"""Whose firmware boards take: the public half of the key that signs it, as a board and as people know it."""

import hashlib
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from doorward.errors import InvalidInput

_MODULUS_BYTES = 384
_SHOWN = 16  # hex digits


@dataclass(frozen=True, slots=True)
class Signatory:
    """Whose signature boards take: the RSA modulus, and a short name for it."""

    modulus: bytes
    name: str


def signatory_of(pem: bytes) -> Signatory:
    """Read a public key. Raises InvalidInput for one that no board could use."""
    key = load_pem_public_key(pem)
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size != _MODULUS_BYTES * 8:
        raise InvalidInput("the key that signs firmware is no RSA key of 3072 bits", field="key")
    modulus = key.public_numbers().n.to_bytes(_MODULUS_BYTES)
    return Signatory(modulus, fingerprint(modulus))


def fingerprint(content: bytes) -> str:
    """A short name for something that nobody else can have made."""
    return hashlib.sha256(content).hexdigest()[:_SHOWN]
