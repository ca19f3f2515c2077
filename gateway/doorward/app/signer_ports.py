"""What the application needs of the signer: seals and card tags, the devices' identities, a witness of the audit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from doorward.app.trust import (
    Adoption,
    Anchor,
    AuditHead,
    ExportSignature,
    ServerIdentity,
    UserIdentity,
)
from doorward_core.seal import Sealed


class Signer(Protocol):
    """Holds the devices' keys; nobody else does.

    Raises SealError (a ValueError) for what does not verify, UnknownDevice where there is no key to work with.
    """

    def devices(self) -> tuple[str, ...]:
        """The ids of all enrolled devices."""

    def verify(self, device: str, suffix: str, payload: bytes, extra: bytes = b"") -> Sealed: ...

    def seal(
        self, device: str, suffix: str, freshness: str, body: bytes, extra: bytes = b""
    ) -> bytes: ...

    def decrypt_uid(self, device: str, nonce: bytes, block: bytes) -> bytes: ...

    def tags(self, device: str, uid: bytes) -> tuple[bytes, ...]:
        """The tags of a card on this device: under its present key, then under the one before it if there was one."""

    def epoch(self, device: str) -> int:
        """The epoch of the key in force; it rises when the first good message under the next key is verified."""

    def next_key(self, device: str, nonce: bytes) -> tuple[int, bytes]:
        """The device's next key: its epoch, and the key encrypted under the present one with this nonce.

        Made and kept at the first call; the same one until it is in force.
        """

    def build_cache(self, device: str, contents: "CacheFile") -> bytes:
        """The sealed cache file for a board. Slow for many cards, and safe on another thread."""


class Registrar(Protocol):
    """Says who is a device of this site, and gives it what proves it. The signer's other half."""

    def adopt(self, device: str) -> Adoption:
        """Make a device's secrets, key and certificate; whatever it had before is worth nothing from now on."""

    def forget(self, device: str) -> None:
        """Delete a device's keys and revoke its certificate."""

    def digests(self) -> dict[str, bytes]:
        """SHA-256 of every device's MQTT secret."""

    def certify_user(self, name: str) -> UserIdentity:
        """Make a key and a certificate for a user of the broker; an older one is void. Raises Conflict."""

    def forget_user(self, name: str) -> None:
        """Revoke a user's certificate, if it has one. Raises InvalidInput."""

    def serial(self, name: str) -> int | None:
        """The serial of the certificate of a device or a user; None when it has none."""

    def is_revoked(self, serial: int) -> bool: ...

    def crl(self) -> bytes:
        """The revocation list of the site's CA, PEM."""

    def certificate(self) -> bytes:
        """The certificate of the site's CA, PEM."""

    def certify_server(self, names: Sequence[str]) -> ServerIdentity:
        """A new key and certificate for servers under these names and addresses. Raises InvalidInput."""


class Notary(Protocol):
    """Remembers outside the database how far the audit went, and signs it. Part of the signer.

    Raises KeyFileError when its own files are damaged.
    """

    def anchor(
        self, count: int, digest: bytes, *, signed: bool = False, restored: bool = False
    ) -> None:
        """Remember that the audit has `count` rows and ends with `digest` (32 bytes). Cheap: for every commit.

        A signed anchor is added when `count` has passed another thousand, and when `signed` asks for it. Raises
        Conflict when the audit was longer, or as long with another end; `restored` says that this is known.
        """

    def anchors(self) -> tuple[Anchor, ...]:
        """All signed anchors, oldest first; app/audit/proofs.py verifies them."""

    def head(self) -> AuditHead | None:
        """What was last remembered; None before the first time. After a power cut it may be a little behind."""

    def sign_export(self, digest: bytes) -> ExportSignature:
        """Sign the SHA-256 of an export; app/audit/proofs.py verifies it with the CA certificate alone."""

    def audit_certificates(self) -> tuple[bytes, ...]:
        """Whose the signatures are: PEM certificates that lead to the site's CA, the signer's first."""


class FirmwareSigner(Protocol):
    """Signs firmware, and nothing else. Part of the signer. Raises KeyFileError."""

    def sign_firmware(self, digest: bytes) -> bytes:
        """The signature over a manifest with this SHA-256, RSA PKCS #1 v1.5. The first call makes the key."""

    def firmware_key(self) -> bytes:
        """The public half of the key, PEM."""


@dataclass(frozen=True, slots=True)
class CacheFile:
    """What goes into a board's cache. Instants are UTC seconds; cards are (uid, person, group).

    holidays are (first day, last day), since 2000-01-01.
    """

    version: int
    issued: int
    soft_expiry: int
    hard_expiry: int
    windows: list[tuple[int, int, int, int, int]]
    persons: list[tuple[int | None, int | None, int]]
    cards: list[tuple[bytes, int, int]]
    holidays: tuple[tuple[int, int], ...] = ()
