"""The firmware that there is for boards: what ships with this gateway, and what somebody has added; signed here."""

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import structlog
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from doorward.app.access.announcer import Announcer
from doorward.app.firmware_ports import Bundle, Bundles, FirmwareStore, Shipped
from doorward.app.ports import AuditStore, Clock
from doorward.app.records import Firmware
from doorward.app.signatory import Signatory, fingerprint, signatory_of
from doorward.app.signer_ports import FirmwareSigner
from doorward.app.views.boards import FirmwareView
from doorward.domain import audit
from doorward.domain.audit import AuditRow
from doorward.domain.instants import instant, milliseconds
from doorward.domain.updates import is_newer
from doorward.errors import Conflict, InvalidInput, NotFound

_log = structlog.get_logger(__name__)


class Store(FirmwareStore, AuditStore, Protocol):
    """Where bundles lie, and where it is on record who brought them."""


class Shelf:
    """One bundle a version."""

    def __init__(
        self,
        store: Store,
        signer: FirmwareSigner,
        announcer: Announcer,
        clock: Clock,
        is_wanted: Callable[[str], bool],
        bundles: Bundles,
    ) -> None:
        """is_wanted: whether boards are to get this version, and what it is has to stay as it is."""
        self._is_wanted = is_wanted
        self._bundles = bundles
        self.changing = asyncio.Lock()
        self._store = store
        self._signer = signer
        self._announcer = announcer
        self._clock = clock
        self.shipped: Shipped | None = None
        self._held = {found.version: found for found in self._usable(store.firmwares())}

    def list(self) -> tuple[FirmwareView, ...]:
        """Every version, newest last; the shipped one also where it was never used."""
        shipped = self.shipped.version if self.shipped else None
        views = [
            FirmwareView(
                found.version,
                ships=found.version == shipped,
                epoch=found.epoch,
                size=found.size,
                added_at=instant(found.added_ms),
                actor=found.actor,
            )
            for found in self._held.values()
        ]
        if shipped is not None and shipped not in self._held:
            views.append(FirmwareView(shipped, ships=True))
        newest_last: list[FirmwareView] = []
        for view in views:
            at = sum(not is_newer(known.version, view.version) for known in newest_last)
            newest_last.insert(at, view)
        return tuple(newest_last)

    def available(self, running: str | None) -> str | None:
        """The newest version, if it is newer than the one that runs."""
        known = self.list()
        if not known or running is None or not is_newer(known[-1].version, running):
            return None
        return known[-1].version

    async def signatory(self) -> Signatory:
        """Whose signature boards are to take. The first call makes the key, which takes a while."""
        return signatory_of(await asyncio.to_thread(self._signer.firmware_key))

    async def sign(self, bundle: Bundle, *, actor: str) -> Bundle:
        """The bundle with this site's signature; that it was signed is on record."""
        digest = hashlib.sha256(bundle.manifest).digest()
        signed = bundle.signed(await asyncio.to_thread(self._signer.sign_firmware, digest))
        row = signed_row(bundle, actor, milliseconds(self._clock.now()))
        self._announcer.announce([await self._store.append(row)])
        return signed

    async def add(self, data: bytes, *, actor: str) -> FirmwareView:
        """Keep a signed bundle, in place of one with its version.

        Raises InvalidInput, and Conflict while boards are given that version: half of one and half of the other fits
        no signature.
        """
        bundle = await asyncio.to_thread(self._bundles.unpack, data)
        key = load_pem_public_key(await asyncio.to_thread(self._signer.firmware_key))
        if not isinstance(key, rsa.RSAPublicKey) or not bundle.is_signed_by(key):
            raise InvalidInput(
                f"firmware {bundle.version} is not signed by this site",
                "`doorward firmware sign` does that",
                field="file",
            )
        async with self.changing:
            if self._is_wanted(bundle.version):
                raise Conflict(
                    f"boards are being updated to firmware {bundle.version}",
                    "wait for them, cancel that, or give this one another version",
                    field="version",
                )
            await self._keep(bundle, actor)
        return next(view for view in self.list() if view.version == bundle.version)

    async def take(self, version: str | None, *, actor: str) -> Bundle:
        """The bundle of a version, by default the newest; the shipped one is signed when it is first wanted.

        Raises NotFound for a version that there is not, Unavailable when the shipped one cannot be made.
        """
        known = [view.version for view in self.list()]
        wanted = version or (known[-1] if known else None)
        if wanted not in known:
            names = ", ".join(known) or "none"
            raise NotFound(
                f"there is no firmware {wanted or ''}".rstrip(), f"known: {names}", field="version"
            )
        if wanted in self._held:
            return await asyncio.to_thread(self._bundles.unpack, await self._store.firmware(wanted))
        if self.shipped is None:
            raise NotFound(f"there is no firmware {wanted}", field="version")
        bundle = await self.sign(await asyncio.to_thread(self.shipped.bundle), actor=actor)
        await self._keep(bundle, actor)
        return bundle

    async def _keep(self, bundle: Bundle, actor: str) -> None:
        now = milliseconds(self._clock.now())
        size = sum(map(len, bundle.files.values()))
        row = AuditRow(
            at_ms=now,
            kind=audit.FIRMWARE_ADDED,
            source=audit.OPERATOR,
            actor=actor,
            why=f"Boards can be given firmware {bundle.version}.",
            note=f"manifest {fingerprint(bundle.manifest)}",
        )
        held = Firmware(bundle.version, bundle.epoch, size, now, actor)
        stored = await self._store.put_firmware(held, bundle.pack(), row)
        self._held[bundle.version] = held
        self._announcer.announce([stored])

    def _usable(self, found: Iterable[Firmware]) -> Iterator[Firmware]:
        """All but what was added when any version was taken: no board could keep it, and nothing of it is shown."""
        for firmware in found:
            if self._bundles.is_version(firmware.version):
                yield firmware
            else:
                _log.warning(
                    "firmware.left_out",
                    version=firmware.version,
                    error="no board can keep this version; bundle it under another, and add that",
                )


def signed_row(bundle: Bundle, actor: str, at_ms: int) -> AuditRow:
    """That somebody had a bundle signed."""
    return AuditRow(
        at_ms=at_ms,
        kind=audit.FIRMWARE_SIGNED,
        source=audit.OPERATOR,
        actor=actor,
        why=f"Firmware {bundle.version} was signed with this site's key.",
        note=f"manifest {fingerprint(bundle.manifest)}",
    )
