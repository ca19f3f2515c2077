"""What the application needs of firmware for boards: bundles as they are made and signed, and where they are kept."""

from collections.abc import Mapping, Sequence
from typing import Protocol, Self

from cryptography.hazmat.primitives.asymmetric import rsa

from doorward.app.records import Firmware
from doorward.domain.audit import AuditRow
from doorward.domain.updates import UpdateOrder


class Bundle(Protocol):
    """One version of the firmware. `signature` is empty until somebody has signed."""

    @property
    def version(self) -> str: ...

    @property
    def epoch(self) -> int: ...

    @property
    def files(self) -> Mapping[str, bytes]: ...

    @property
    def signature(self) -> bytes: ...

    @property
    def manifest(self) -> bytes:
        """What is signed, and what a board checks everything else against."""

    def signed(self, signature: bytes) -> Self:
        """The same with a signature."""

    def pack(self) -> bytes:
        """All of it as one file."""

    def is_signed_by(self, key: rsa.RSAPublicKey) -> bool:
        """Whether the holder of this key's other half has signed it."""


class Bundles(Protocol):
    """How bundles are read."""

    def unpack(self, data: bytes) -> Bundle:
        """Read a bundle; every digest is checked, the signature is not. Raises InvalidInput."""

    def is_version(self, text: str) -> bool:
        """Whether a board can keep this as the version that it runs."""


class Shipped(Protocol):
    """The firmware that came with this gateway."""

    version: str

    def bundle(self) -> Bundle:
        """All of it, not signed. Blocking. Raises Unavailable where it cannot be made."""


class FirmwareStore(Protocol):
    """Bundles for boards, by version. A change and its audit row are one transaction."""

    def firmwares(self) -> tuple[Firmware, ...]: ...

    async def firmware(self, version: str) -> bytes:
        """The bundle. Raises NotFound."""

    async def put_firmware(self, held: Firmware, bundle: bytes, row: AuditRow) -> AuditRow:
        """Keep a bundle, in place of one with its version."""


class UpdateStore(Protocol):
    """What each board was last told to run."""

    def update_orders(self) -> tuple[UpdateOrder, ...]: ...

    async def put_update_orders(
        self, orders: Sequence[UpdateOrder], row: AuditRow | None
    ) -> AuditRow | None:
        """Write orders in place of those that their boards had, with their audit row; one transaction."""
