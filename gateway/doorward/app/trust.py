"""What the signer hands out: identities, each given away once, and proofs that anybody can check."""

import hashlib
import ssl
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Adoption:
    """All that a board needs to prove who it is. It is given out once, and kept by the board alone.

    Secrets are 64 hex digits; certificates and the private key are DER, which is what MicroPython reads.
    """

    device: str
    secret: str = field(repr=False)  # its MQTT password
    key: str = field(repr=False)  # K_dev, from which its seals are made
    epoch: int
    serial: int
    authority: bytes = field(repr=False)
    certificate: bytes = field(repr=False)
    private_key: bytes = field(repr=False)
    # Whose firmware it takes: PEM; None where nobody has signed any yet, and it is told later.
    firmware_key: bytes | None = None


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """A server's certificate and its private key, PEM. The key is made for this answer and kept nowhere else."""

    certificate: bytes
    private_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class UserIdentity:
    """What a user of the broker shows besides its password, PEM. The key is made for this answer and kept nowhere else.

    authority: the site's CA, by which the user knows the broker.
    """

    certificate: bytes
    private_key: bytes = field(repr=False)
    authority: bytes = field(repr=False)
    serial: int


@dataclass(frozen=True, slots=True)
class AuditHead:
    """How long the audit was when it was last heard of, and the digest of its last row."""

    count: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Anchor:
    """A signed word about the audit: at `at_ms` (UTC) it had `count` rows and ended with `digest`.

    `restored`: it did not go on where the anchor before left it, and somebody who may said that this is right.
    """

    count: int
    digest: bytes
    at_ms: int
    restored: bool
    signature: bytes

    def to_json(self) -> dict[str, Any]:
        """As it is written down: beside the keys, and in exports."""
        return {
            "count": self.count,
            "digest": self.digest.hex(),
            "at_ms": self.at_ms,
            "restored": self.restored,
            "signature": self.signature.hex(),
        }

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> Self:
        """The inverse of `to_json`. Raises KeyError, TypeError or ValueError for anything else."""
        return cls(
            int(said["count"]),
            bytes.fromhex(said["digest"]),
            int(said["at_ms"]),
            bool(said["restored"]),
            bytes.fromhex(said["signature"]),
        )


@dataclass(frozen=True, slots=True)
class ExportSignature:
    """A signature over an export's digest, and the certificates (PEM) that lead from its key to the site's CA."""

    signature: bytes
    certificates: tuple[bytes, ...]


def fingerprint(certificate: bytes) -> str:
    """The SHA-256 of a certificate (PEM) as browsers and phones show it, for people to compare."""
    der = ssl.PEM_cert_to_DER_cert(certificate.decode())
    return hashlib.sha256(der).digest().hex(" ").upper()
