"""Seals and opens for every enrolled device."""

from pathlib import Path

from doorward.app.ports import CacheFile
from doorward.errors import UnknownDevice
from doorward.signer import enrolment
from doorward.signer.enrolment import Enrolment
from doorward_core import gateway_seal, records_build, seal
from doorward_core.seal import Keys, Sealed, SealError


class Signer:
    """The keys in a directory, one file a device, read once."""

    def __init__(self, directory: Path) -> None:
        """Read every `*.key` in `directory`. Raises the errors of `enrolment.load`."""
        self._directory = directory
        self._enrolments: dict[str, Enrolment] = {}
        self._keys: dict[str, Keys] = {}
        self._tags: dict[tuple[str, bytes], bytes] = {}
        for path in sorted(directory.glob("*.key")):
            self._hold(enrolment.load(path))

    def enrol(self, device: str) -> Enrolment:
        """Return the device's secrets, made anew for a new device: what goes into its config.json."""
        known = self._enrolments.get(device)
        if known is None:
            known = enrolment.create(self._directory, device)
            self._hold(known)
        return known

    def enrolments(self) -> tuple[Enrolment, ...]:
        """All of them: the broker has to know the MQTT passwords."""
        return tuple(self._enrolments.values())

    def devices(self) -> tuple[str, ...]:
        return tuple(self._enrolments)

    def verify(self, device: str, suffix: str, payload: bytes, extra: bytes = b"") -> Sealed:
        if device not in self._keys:
            # To the outside an unknown device and a wrong key are the same thing.
            raise SealError("mac")
        return seal.open_sealed(self._of(device), suffix, payload, extra)

    def seal(
        self, device: str, suffix: str, freshness: str, body: bytes, extra: bytes = b""
    ) -> bytes:
        return seal.seal(self._of(device), suffix, freshness, body, extra)

    def decrypt_uid(self, device: str, nonce: bytes, block: bytes) -> bytes:
        return gateway_seal.decrypt_uid(self._of(device), nonce, block)

    def tag(self, device: str, uid: bytes) -> bytes:
        known = self._tags.get((device, uid))
        if known is None:
            known = self._tags[device, uid] = seal.tag(self._of(device), uid)
        return known

    def build_cache(self, device: str, contents: CacheFile) -> bytes:
        rows = [(self.tag(device, uid), person, group) for uid, person, group in contents.cards]
        return records_build.build(
            self._of(device),
            contents.version,
            contents.issued,
            contents.soft_expiry,
            contents.hard_expiry,
            contents.windows,
            contents.persons,
            rows,
        )

    def _of(self, device: str) -> Keys:
        try:
            return self._keys[device]
        except KeyError:
            raise UnknownDevice(
                f"device {device} has no key here", f"restore {self._directory / device}.key"
            ) from None

    def _hold(self, known: Enrolment) -> None:
        self._enrolments[known.device] = known
        self._keys[known.device] = Keys(known.device, bytes.fromhex(known.key), known.epoch)
